import { expect, test } from 'vitest';
import { tooQuiet } from './too-quiet.js';

test('trials that were left out are a note, and more than a tenth of them a fault of the run', () => {
  expect(tooQuiet(30, 30, 'came too early')).toEqual({
    many: false,
    detail: '0 of 30 came too early: not measured',
    note: '',
  });
  expect(tooQuiet(30, 27, 'came too early')).toMatchObject({
    many: false,
    note: '; 3 of 30 came too early: not measured',
  });
  expect(tooQuiet(30, 26, 'came too early').many).toBe(true);
});
