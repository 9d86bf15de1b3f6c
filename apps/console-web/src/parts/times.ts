/** A time with its zone, in the reader's language: "29 Nov 2026, 14:05:10 GMT+1". */
export const full = (at: string): string =>
  new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });

/** The time of day to the second: "14:05:10". */
export const toTheSecond = (at: string): string => new Date(at).toLocaleTimeString(undefined, { timeStyle: 'medium' });

/** The time of day, with the date where it is not today's. */
export function clock(at: string, now: number): string {
  const time = new Date(at);
  const today = time.toDateString() === new Date(now).toDateString();
  return time.toLocaleString(undefined, today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' });
}

const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
const words = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

/** How far a time is away: "in 3 hours", "2 minutes ago", "now". It is never rounded up: a deadline has at least what it says. */
export function distance(at: string, now: number): string {
  const seconds = (Date.parse(at) - now) / 1000;
  for (const [unit, size] of steps)
    if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  return seconds > 5 ? 'in less than a minute' : seconds < -5 ? 'less than a minute ago' : 'now';
}
