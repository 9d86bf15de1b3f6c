import type { Bench, Figure } from '../figure.js';
import { measureF1 } from './f1.js';
import { measureF2 } from './f2.js';
import { measureF3 } from './f3.js';

/** What plain programs reach on the same broker and database: ours is told as a share of it. */
export const floors: Readonly<Record<'f1' | 'f2' | 'f3', (bench: Bench) => Promise<Figure[]>>> = {
  f1: measureF1,
  f2: measureF2,
  f3: measureF3,
};
