import { useEffect, useRef } from 'react';

/** For how long this page has been before its reader's eyes since it was opened, in milliseconds; not while another tab was. */
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
