import { clock, distance, exactClock, full } from './times.js';
import { useNow } from './use-now.js';

/** A time as a distance from now. Hovering shows the whole time with its zone. */
export function When({ at }: { readonly at: string }) {
  const now = useNow(15_000);
  return (
    <time dateTime={at} title={full(at)}>
      {distance(at, now)}
    </time>
  );
}

/** A time to the second in the reader's zone, and its distance from now, for a reader who cannot hover: "14:05:10, 2 minutes ago". */
export function Exactly({ at }: { readonly at: string }) {
  const now = useNow(15_000);
  return (
    <time dateTime={at} title={full(at)}>
      {exactClock(at, now)}, {distance(at, now)}
    </time>
  );
}

/** A time in the reader's zone as the time of day, for a state at that time: "14:05". */
export function Moment({ at }: { readonly at: string }) {
  const now = useNow(60_000);
  return (
    <time dateTime={at} title={full(at)}>
      {clock(at, now)}
    </time>
  );
}
