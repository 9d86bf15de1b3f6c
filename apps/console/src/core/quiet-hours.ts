/** A time of the day in which a recipient gets only urgent messages, by the local clock: `20:00` to `07:00`. */
export interface QuietHours {
  readonly from: string;
  readonly to: string;
}

const dayMinutes = 1440;
/** No zone has changed its clock by more minutes at once. */
const largestChange = 180;

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));

/** The minute of the day that the local clock shows. */
function wallMinutes(format: Intl.DateTimeFormat, ms: number): number {
  const parts = format.formatToParts(ms);
  const figure = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return figure('hour') * 60 + figure('minute');
}

/**
 * The first moment after `at` that is not quiet by the local clock; undefined if `at` itself is not quiet. This also holds in
 * nights in which the clock changes: an hour that is skipped is not waited for, and one that comes twice is quiet twice.
 */
export function quietUntil(at: string, { from, to }: QuietHours, timeZone: string): string | undefined {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const begin = minutesOf(from);
  const end = minutesOf(to);
  const isQuiet = (ms: number): boolean => {
    const wall = wallMinutes(format, ms);
    return begin < end ? wall >= begin && wall < end : wall >= begin || wall < end;
  };
  const now = Date.parse(at);
  if (!isQuiet(now)) return undefined;
  const minute = Math.floor(now / 60_000);
  const left = (end - wallMinutes(format, now) + dayMinutes) % dayMinutes;
  // The local clock reaches the end after `left` minutes, unless it changes meanwhile.
  for (let next = Math.max(minute + 1, minute + left - largestChange); next <= minute + left + largestChange; next++)
    if (!isQuiet(next * 60_000)) return new Date(next * 60_000).toISOString();
  return new Date((minute + left) * 60_000).toISOString();
}
