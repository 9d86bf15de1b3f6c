/** How long a request may take, in milliseconds from its beginning. */
export interface Patience {
  /** Until an answer begins. A line that leads nowhere brings none, however long somebody waits. */
  readonly wordMs: number;
  /** Until it is whole: on a slow line a large answer takes its time. */
  readonly wholeMs: number;
}

/** Sends a request that is given up after so long, or when `lost` says so. */
export async function patiently(
  send: (signal: AbortSignal) => Promise<Response>,
  { wordMs, wholeMs }: Patience,
  lost?: AbortSignal,
): Promise<Response> {
  const mute = new AbortController();
  const timer = setTimeout(() => mute.abort(new DOMException('No answer came', 'TimeoutError')), wordMs);
  try {
    return await send(AbortSignal.any([mute.signal, AbortSignal.timeout(wholeMs), ...(lost ? [lost] : [])]));
  } finally {
    clearTimeout(timer);
  }
}
