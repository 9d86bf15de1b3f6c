import { atMost, TooLong } from '@countersign/contracts';

/** A server's answer that cannot be used; `reason` says it in our words. */
export class Unusable extends Error {
  constructor(readonly reason: string) {
    super(reason);
  }
}

/**
 * `fetch` whose bodies end: at more than `kibibytes`, unpacked, the connection is closed and reading the body rejects with `Unusable`.
 * A redirect is not followed: the question and the key are for the server that the operator named.
 */
export const boundedFetch =
  (kibibytes: number): typeof fetch =>
  async (input, init) => {
    const response = await fetch(input, { ...init, redirect: 'manual' });
    if (!response.body) return response;
    // No `Response` can be made of a status that HTTP does not define; its body says nothing then.
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
