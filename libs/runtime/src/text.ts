/** Text that any column, header and log can hold: no control characters, no half of a surrogate pair, cut to length. */
export const printable = (text: string, length = 300): string =>
  text
    .replace(/\p{Cc}/gu, '\ufffd')
    .slice(0, length)
    .toWellFormed();

/** Whether a Postgres `text` can hold it and give back the same: no NUL, no half of a surrogate pair. */
export const fitsText = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed();
