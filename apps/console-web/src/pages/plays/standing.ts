import type { PlayPage } from './plays.queries.js';

export type Standing = PlayPage['elsewhere'];

/** How many runs stand at a step now, in words. */
export function standingWords({ here, waits, late }: Standing): string {
  if (here === 0) return 'No run is here now.';
  const runs = here === 1 ? '1 run is here now' : `${here} runs are here now`;
  const more = [
    ...(waits > 0 ? [`${waits} ${waits === 1 ? 'waits' : 'wait'} for a person`] : []),
    ...(late > 0 ? [`${late} past ${late === 1 ? 'its' : 'their'} time`] : []),
  ];
  return more.length === 0 ? `${runs}.` : `${runs}: ${more.join(', ')}.`;
}

export type Dot = 'late' | 'waits' | 'here';
/** More runs than these are words only. */
const mostDots = 12;

/** A dot for each run that stands there, the urgent ones first. */
export function dotsOf({ here, waits, late }: Standing): readonly Dot[] {
  const dots = [
    ...Array.from({ length: Math.min(late, mostDots) }, () => 'late' as const),
    ...Array.from({ length: Math.min(waits, mostDots) }, () => 'waits' as const),
    ...Array.from({ length: Math.min(here, mostDots) }, () => 'here' as const),
  ];
  return dots.slice(0, Math.min(here, mostDots));
}
