import { useEffect, useRef } from 'react';

/** The console takes no longer time, in milliseconds: a week. */
export const longestLook = 604_800_000;

/**
 * How long the reader saw the content with this digest, in milliseconds: since the page was opened, or since the reader said that they
 * have read what changed. The time in another tab does not count.
 */
export function useLooked(digest: string): () => number {
  const seen = useRef({ before: 0, since: performance.now() });
  // biome-ignore lint/correctness/useExhaustiveDependencies: other content begins anew
  useEffect(() => {
    seen.current = { before: 0, since: performance.now() };
    const turned = () => {
      const now = performance.now();
      if (document.hidden) seen.current.before += now - seen.current.since;
      seen.current.since = now;
    };
    document.addEventListener('visibilitychange', turned);
    return () => document.removeEventListener('visibilitychange', turned);
  }, [digest]);
  return () => Math.round(seen.current.before + (document.hidden ? 0 : performance.now() - seen.current.since));
}
