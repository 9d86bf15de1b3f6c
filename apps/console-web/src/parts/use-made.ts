import { startTransition, useEffect, useState } from 'react';

/** On a phone a row is several times as high as on a computer. Too much room moves nothing, too little loses the place of whoever comes back. */
const spare = 4;

/**
 * How many rows of a list are made: at first as many as fill the screen, then more and more, until the list has them all. Between two
 * parts the browser shows what is there, and answers the person. `room` is the space below the list for the rows that are missing.
 */
export function useMade(count: number, height: number): { readonly made: number; readonly room: number | undefined } {
  const [part] = useState(() => Math.ceil(window.innerHeight / height) + 1);
  const [most, setMost] = useState(part);
  useEffect(() => {
    if (most < count) startTransition(() => setMost(most + part));
  }, [most, count, part]);
  const made = Math.min(most, count);
  return { made, room: made < count ? (count - made) * height * spare : undefined };
}
