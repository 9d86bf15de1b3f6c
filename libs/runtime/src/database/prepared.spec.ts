import { expect, test } from 'vitest';
import { prepared } from './prepared.js';

test('a text has one name, another text another, and what is assembled without end gets none', () => {
  const first = prepared('SELECT 1').name;
  expect(first).toBeDefined();
  expect(prepared('SELECT 1', [2])).toEqual({ name: first, text: 'SELECT 1', values: [2] });
  expect(prepared('SELECT 2').name).not.toBe(first);
  for (let n = 0; n < 600; n++) prepared(`SELECT ${n} AS n`);
  expect(prepared('SELECT 600 AS n').name).toBeUndefined();
  expect(prepared('SELECT 1').name).toBe(first);
});
