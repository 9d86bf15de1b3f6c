/** A server's answer that cannot be used; `why` says it in our words. */
export class Unusable extends Error {
  constructor(readonly why: string) {
    super(why);
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
    let bytes = 0;
    const bound = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        // The error cancels the stream behind it, and so the connection.
        if (bytes > kibibytes * 1024) throw new Unusable(`the model's server answered with more than ${kibibytes} KiB`);
        controller.enqueue(chunk);
      },
    });
    return new Response(response.body.pipeThrough(bound), { status: response.status, headers: response.headers });
  };
