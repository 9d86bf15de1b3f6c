import type { Reader, Runtime } from '@countersign/runtime';

/** The readers of the console's tables: one for acts, which no page delays, and one for reads that only show data. */
export const readersOf = (runtime: Runtime): { readonly forActs: Reader; readonly forPages: Reader } => ({
  forActs: { query: (sql, params) => runtime.read(sql, params) },
  forPages: { query: (sql, params) => runtime.readForPage(sql, params) },
});
