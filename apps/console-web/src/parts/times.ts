// Made once, because making a formatter takes longer than using it, and a list has many times.
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });
const seconds = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const dateAndSeconds = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** A time with its zone, in the reader's language: "29 Nov 2026, 14:05:10 GMT+1". */
export const full = (at: string): string => whole.format(new Date(at));

/** The time of day to the second: "14:05:10". */
export const toTheSecond = (at: string): string => seconds.format(new Date(at));

const isToday = (time: Date, now: number): boolean => time.toDateString() === new Date(now).toDateString();

/** The time of day to the second, with the date if it is not today. */
export const exactClock = (at: string, now: number): string =>
  (isToday(new Date(at), now) ? seconds : dateAndSeconds).format(new Date(at));

/** The time of day, with the date if it is not today. */
export function clock(at: string, now: number): string {
  const time = new Date(at);
  const today = isToday(time, now);
  return time.toLocaleString(undefined, today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' });
}

const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
const words = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

/**
 * How far away a time is: "in 3 hours", "2 minutes ago", "now". It is never rounded up: at least this much time is left until a
 * deadline.
 */
export function distance(at: string, now: number): string {
  const away = (Date.parse(at) - now) / 1000;
  for (const [unit, size] of steps) if (Math.abs(away) >= size) return words.format(Math.trunc(away / size), unit);
  return away > 5 ? 'in less than a minute' : away < -5 ? 'less than a minute ago' : 'now';
}
