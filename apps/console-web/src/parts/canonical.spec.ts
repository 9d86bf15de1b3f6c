import { expect, test } from 'vitest';
import { canonical } from './canonical.js';

test('members stand in the order of RFC 8785, whatever their names, at every depth', () => {
  const value = { '\ufb33': 2, b: [{ z: 1e21, a: null }], a: '\u20ac\n', '9': -0, '10': true, '\ud83d\ude00': 1 };
  expect(canonical(value)).toBe(
    '{"10":true,"9":0,"a":"\u20ac\\n","b":[{"a":null,"z":1e+21}],"\ud83d\ude00":1,"\ufb33":2}',
  );
});
