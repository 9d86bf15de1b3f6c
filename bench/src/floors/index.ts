import type { Bench, Figure } from '../figure.js';
import { measureF1 } from './f1.js';
import { measureF2 } from './f2.js';
import { measureF3 } from './f3.js';

/** The speed of plain programs on the same broker and database. Ours is shown as a share of it. */
export const floors: Readonly<Record<'f1' | 'f2' | 'f3', (bench: Bench) => Promise<Figure[]>>> = {
  f1: measureF1,
  f2: measureF2,
  f3: measureF3,
};
