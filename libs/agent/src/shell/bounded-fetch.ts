import { atMost, TooLong } from '@countersign/contracts';

/** A server's answer that cannot be used. `reason` describes it in our words. */
export class Unusable extends Error {
  constructor(readonly reason: string) {
    super(reason);
  }
}

/**
 * A `fetch` with bounded bodies. If a body has more than `kibibytes` after unpacking, the connection is closed and reading the body
 * rejects with `Unusable`. It follows no redirect: the question and the key are for the server that the operator named.
 */
export const boundedFetch =
  (kibibytes: number): typeof fetch =>
  async (input, init) => {
    const response = await fetch(input, { ...init, redirect: 'manual' });
    if (!response.body) return response;
    // A `Response` cannot have a status that HTTP does not define. The body of such an answer is not used.
    if (response.status > 599) {
      await response.body.cancel();
      return response;
    }
    const body = ReadableStream.from(bounded(response.body, kibibytes));
    return new Response(body, { status: response.status, headers: response.headers });
  };

async function* bounded(body: AsyncIterable<Uint8Array>, kibibytes: number): AsyncGenerator<Uint8Array> {
  try {
    yield* atMost(body, kibibytes * 1024);
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    throw new Unusable(`the model's server answered with more than ${kibibytes} KiB`);
  }
}
