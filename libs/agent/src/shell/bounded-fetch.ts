/** A server's answer that cannot be used; `why` says it in our words. */
export class Unusable extends Error {
  constructor(readonly why: string) {
    super(why);
  }
}

/**
 * `fetch` whose bodies end: at more than `mebibytes`, unpacked, the connection is closed and reading the body rejects with `Unusable`.
 */
export const boundedFetch =
  (mebibytes: number): typeof fetch =>
  async (input, init) => {
    const response = await fetch(input, init);
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
        if (bytes > mebibytes * 2 ** 20)
          throw new Unusable(`the model's server answered with more than ${mebibytes} MiB`);
        controller.enqueue(chunk);
      },
    });
    return new Response(response.body.pipeThrough(bound), { status: response.status, headers: response.headers });
  };
