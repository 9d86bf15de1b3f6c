import { Text } from '@mantine/core';
import { clock, distance, full } from './times.js';
import { useNow } from './use-now.js';

/** A time as a distance from now. Hovering shows the whole time with its zone. */
export function When({ at }: { readonly at: string }) {
  const now = useNow(15_000);
  return (
    <Text component="time" inherit dateTime={at} title={full(at)}>
      {distance(at, now)}
    </Text>
  );
}

/** A time in the reader's zone as the time of day, for a state at that time: "14:05". */
export function Moment({ at }: { readonly at: string }) {
  const now = useNow(60_000);
  return (
    <Text component="time" inherit dateTime={at} title={full(at)}>
      {clock(at, now)}
    </Text>
  );
}
