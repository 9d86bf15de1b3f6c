/** A try that got no answer: its status and headers, if the server sent any. */
export interface FailedTry {
  readonly status?: number | undefined;
  readonly header: (name: string) => string | null | undefined;
}

/** Tries after the first one. */
const retries = 2;

/**
 * How long to wait, in milliseconds, before a question is asked again after `tries` failed tries; undefined if it is not asked
 * again. It is asked again after a failure that may pass: no connection, 408, 409, 429, 5xx, or as `x-should-retry` says. If the
 * server asks for a wait, that wait is used, however long it is: the caller compares it with the time that is left.
 */
export function waitBefore({ status, header }: FailedTry, tries: number): number | undefined {
  if (tries > retries) return undefined;
  const passes = status === undefined || status === 408 || status === 409 || status === 429 || status >= 500;
  const shouldRetry = header('x-should-retry');
  if (shouldRetry === 'false' || (shouldRetry !== 'true' && !passes)) return undefined;
  return asked(header) ?? 500 * 2 ** (tries - 1);
}

function asked(header: FailedTry['header']): number | undefined {
  const after = header('retry-after')?.trim() ?? '';
  const waits = [
    count(header('retry-after-ms')),
    count(after) * 1000,
    // By the server's own clock, because our clock may differ.
    Date.parse(after) - Date.parse(header('date') ?? ''),
  ];
  return waits.find((wait) => wait >= 0);
}

/** A number, which may have decimals; NaN if the text is not a number. */
const count = (text: string | null | undefined): number =>
  /^\s*\d{1,12}(\.\d{1,9})?\s*$/.test(text ?? '') ? Number(text) : Number.NaN;
