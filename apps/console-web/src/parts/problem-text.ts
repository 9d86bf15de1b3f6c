import { capital } from './capital.js';
import { plainText } from './reason.js';

/** What went wrong and what to do; times are in the reader's zone. */
export const problemText = (error: unknown): string =>
  capital(plainText(error instanceof Error ? error.message : String(error)));
