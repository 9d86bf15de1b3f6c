/** Text that any column, header and log can hold: no control characters, no half of a surrogate pair, cut to length. */
export const printable = (text: string, length = 300): string =>
  text
    .replace(/\p{Cc}/gu, '\ufffd')
    .slice(0, length)
    .toWellFormed();

/** Whether a Postgres `text` can hold it and give back the same: no NUL, no half of a surrogate pair. */
export const fitsText = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed();

/** Whether Postgres `jsonb` can hold a value, by its JSON: `\u0000` and halves of surrogate pairs it refuses. */
export const fitsJsonb = (json: string): boolean => !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/.test(json);
