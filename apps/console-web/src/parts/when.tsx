import { Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { distance, full } from './times.js';

/** A time in the reader's zone, as a distance; the whole time with its zone on hover. */
export function When({ at }: { readonly at: string }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 15_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <Text component="time" inherit dateTime={at} title={full(at)}>
      {distance(at, now)}
    </Text>
  );
}
