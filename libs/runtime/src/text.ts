import { plainText } from '@countersign/contracts';

/** Text that any column, header and log can hold: one line, no control characters, no half of a surrogate pair, cut to length. */
export const printable = (text: string, length = 300): string => plainText(text, length);

/** Whether a Postgres `text` can hold this and return the same: no NUL, no half of a surrogate pair. */
export const fitsText = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed();
