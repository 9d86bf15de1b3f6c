import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { canonical, derivedId, digestOf, parseExact } from './canonical.js';

const data = fileURLToPath(new URL('../../../../shared/data/jcs/', import.meta.url));
const pairs = existsSync(data) ? readdirSync(`${data}input`) : [];
if (pairs.length === 0) console.warn('skipped: ../shared/data/jcs is missing, so the RFC 8785 test pairs are not run');

describe('canonical JSON (RFC 8785)', () => {
  test.skipIf(pairs.length === 0)('agrees with the published test pairs', () => {
    for (const name of pairs)
      expect(canonical(JSON.parse(readFileSync(`${data}input/${name}`, 'utf8'))), name).toBe(
        readFileSync(`${data}output/${name}`, 'utf8'),
      );
  });

  test('[case 9] key order and the spelling of a number do not change a digest', () => {
    expect(digestOf(parseExact('{"b": 1.0, "a": [1e2, "é"]}'))).toBe(
      digestOf(parseExact('{"a":[100,"\\u00e9"],"b":1}')),
    );
  });

  test('any other value does', () => {
    expect(digestOf({ a: 1 })).not.toBe(digestOf({ a: 2 }));
    expect(digestOf({ a: '1' })).not.toBe(digestOf({ a: 1 }));
  });

  test('refuses what is no JSON value', () => {
    expect(() => canonical(undefined)).toThrow(TypeError);
    expect(() => canonical(Number.NaN)).toThrow();
  });
});

describe('exact parsing', () => {
  test.each([
    ['{"amount": 1, "amount": 82000}', /repeated member "amount"/],
    ['{"a": {"b": 1, "b": 1}}', /repeated member "b"/],
    ['[{"a": 1}, {"x": ["a", "b"], "a": "a", "\\u0061": "a"}]', /repeated member "a"/],
    [String.raw`{"a": ["\ud800"]}`, /half of a surrogate pair/],
    [String.raw`{"\udc00": 1}`, /half of a surrogate pair/],
    ['{"amount": 9007199254740993}', /too large to hold exactly/],
    ['{"amount": 1e400}', /too large to hold exactly/],
    ['{"a": 1', /./],
  ])('[case 9] refuses %s', (text, detail) => {
    expect(() => parseExact(text)).toThrow(detail);
  });

  test('reads what is well formed as JSON.parse does', () => {
    const text = '{"a":[1,-2.5,1e3,true,null,"x\\n","{\\"a\\":1,\\"a\\":2}"],"b":{"c":9007199254740991,"a":"a"}}';
    expect(parseExact(text)).toEqual(JSON.parse(text));
  });
});

test('a derived id is the same for the same parts and another for any other', () => {
  expect(derivedId('a', 'b', 1)).toBe(derivedId('a', 'b', 1));
  expect(derivedId('a', 'b', 1)).not.toBe(derivedId('a', 'b', 2));
  expect(derivedId('a', 'b1')).not.toBe(derivedId('a', 'b', 1));
  expect(derivedId('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
});
