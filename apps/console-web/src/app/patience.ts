/** How long a request may take, in milliseconds from its beginning. */
export interface Patience {
  /** The longest time until an answer begins. A connection that leads nowhere never brings an answer. */
  readonly wordMs: number;
  /** The longest time until the answer is complete. A large answer takes long on a slow connection. */
  readonly wholeMs: number;
}

/** Sends a request that is given up after this time, or when `lost` reports a loss. */
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
