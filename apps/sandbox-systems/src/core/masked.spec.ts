import { expect, test } from 'vitest';
import { masked } from './masked.js';

test.each([
  ['mia.lang@north.example', 'm***@n***.example'],
  ['m@localhost', 'm***@l***'],
  ['@', '***@***'],
  ['\u{1f600}x@\u{1f600}x.example', '\u{1f600}***@\u{1f600}***.example'],
  ['"a b"@[192.168.0.1]', '"***@[***.1]'],
])('masks %s', (address, expected) => expect(masked(address)).toBe(expected));
