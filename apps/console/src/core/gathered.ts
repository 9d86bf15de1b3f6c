/**
 * Answers many callers at once. While one question is under way, new callers wait for the next one together. So there is only one
 * question at a time.
 */
export function gathered<V>(
  ask: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>,
): (key: string) => Promise<V | undefined> {
  let next: Promise<ReadonlyMap<string, V>> | undefined;
  let keys = new Set<string>();
  let under: Promise<unknown> = Promise.resolve();
  return async (key) => {
    keys.add(key);
    next ??= under.then(() => {
      const asked = [...keys];
      keys = new Set();
      next = undefined;
      const answer = ask(asked);
      under = answer.catch(() => undefined);
      return answer;
    });
    return (await next).get(key);
  };
}
