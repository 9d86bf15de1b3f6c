/** Runs in each page before its own scripts: when its first view was painted, what moved, and how long an input takes to show. */
export const inPage = (ready: string): string => `(() => {
  const seen = { first: undefined, shift: 0, event: 0, acted: undefined };
  const loading = () => document.querySelector('main .mantine-Skeleton-root, main .mantine-Loader-root') !== null;
  // A frame later the one in which the view was made has been painted.
  const painted = (is, then) => requestAnimationFrame(function look(at) {
    if (!is()) return requestAnimationFrame(look);
    requestAnimationFrame(() => then(performance.now()));
  });
  const shows = (selector) => !loading() && document.querySelector(selector) !== null;
  painted(() => shows(${JSON.stringify(ready)}), (at) => { seen.first = at; });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (entry.interactionId) seen.event = Math.max(seen.event, entry.duration);
  }).observe({ type: 'event', durationThreshold: 16 });
  window.bench = {
    seen,
    // From the next press of this kind until the result has been painted.
    arm(kind, is) {
      seen.acted = undefined;
      seen.event = 0;
      addEventListener(kind, (event) => painted(() => !loading() && is(), (at) => { seen.acted = at - event.timeStamp; }),
        { capture: true, once: true });
    },
    // What is loaded ahead, after the first view, is not part of it.
    scripts: () => performance.getEntriesByType('resource')
      .filter(({ name, startTime }) => new URL(name).pathname.endsWith('.js') && startTime < seen.first).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
  };
})();`;
