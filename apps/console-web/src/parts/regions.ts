const countries = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' });

/** "DE" as "Germany". A text that is not a country code stays as its source wrote it. */
export const regionWords = (region: string): string =>
  /^[A-Z]{2}$/.test(region) ? (countries.of(region) ?? region) : region;
