import { expect, test } from 'vitest';
import { Cursor, PartCursor } from './cursor.js';

const id = '5b1e6c1e-0000-5000-8000-000000000001';

test('a place is a time and an id, of a list of two parts also the part', () => {
  const place = { at: '2026-11-21T10:00:00.000Z', id };
  expect(Cursor.parse(`${place.at},${id}`)).toEqual(place);
  expect(PartCursor.parse(`done,${place.at},${id}`)).toEqual({ part: 'done', ...place });
});

test.each(['yesterday', `2026-11-21T10:00:00.000Z,${id},more`, `0000-01-01T00:00:00.000Z,${id}`])(
  '%s is no place: the database could not read it',
  (text) => {
    expect(Cursor.safeParse(text).success).toBe(false);
    expect(PartCursor.safeParse(`waiting,${text}`).success).toBe(false);
  },
);
