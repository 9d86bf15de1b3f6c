import type { Reader, Runtime } from '@countersign/runtime';

/** What reads the console's tables: for acts, which no page holds up, and for what is only looked at. */
export const readersOf = (runtime: Runtime): { readonly forActs: Reader; readonly forPages: Reader } => ({
  forActs: { query: (sql, params) => runtime.read(sql, params) },
  forPages: { query: (sql, params) => runtime.readForPage(sql, params) },
});
