import { useEffect, useRef } from 'react';

/** How long this page was visible to its reader since it was opened, in milliseconds. The time in another tab does not count. */
export function useLooked(subjectId: string): () => number {
  const seen = useRef({ before: 0, since: performance.now() });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another card begins anew
  useEffect(() => {
    seen.current = { before: 0, since: performance.now() };
    const turned = () => {
      const now = performance.now();
      if (document.hidden) seen.current.before += now - seen.current.since;
      seen.current.since = now;
    };
    document.addEventListener('visibilitychange', turned);
    return () => document.removeEventListener('visibilitychange', turned);
  }, [subjectId]);
  return () => Math.round(seen.current.before + (document.hidden ? 0 : performance.now() - seen.current.since));
}
