/** How long the rest of a work takes at the pace so far, as a person reads it. */
export function timeLeft(done: number, total: number, tookMs: number): string {
  if (done <= 0) return 'time left unknown';
  const seconds = (Math.max(0, total - done) * tookMs) / done / 1000;
  if (seconds < 100) return `about ${seconds.toFixed(0)} s left`;
  if (seconds < 5_400) return `about ${(seconds / 60).toFixed(0)} min left`;
  return `about ${(seconds / 3600).toFixed(1)} h left`;
}
