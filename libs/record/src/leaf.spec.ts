import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeLeaf, eventBytes, type Leaf, leafHash, readEventBytes } from './leaf.js';
import { sha256 } from './merkle.js';
import { hex } from './testing.js';

const leaf: Leaf = {
  topic: 'actions.approved.v1',
  partition: 3,
  offset: '9007199254740993',
  source: '/guardrail-validator',
  id: '7f3a',
  sha256: sha256(),
};

const text = fc.string({ unit: 'binary', maxLength: 6 });
const anyLeaf: fc.Arbitrary<Leaf> = fc.record({
  topic: text,
  partition: fc.nat(),
  offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String),
  source: fc.option(text),
  id: fc.option(text),
  sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }),
});

describe("a leaf's bytes", () => {
  test('are the RFC 8785 JSON of its fields', () => {
    expect(new TextDecoder().decode(encodeLeaf({ ...leaf, source: 'ü"\n\u0001€', id: null }))).toBe(
      '{"id":null,"offset":"9007199254740993","partition":3,' +
        '"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",' +
        '"source":"ü\\"\\n\\u0001€","topic":"actions.approved.v1"}',
    );
  });

  test('of a topic that was made again name its id, and of any other are what they always were', () => {
    const again = new TextDecoder().decode(encodeLeaf({ ...leaf, topicId: 'Zm9v' }));
    expect(again).toBe(new TextDecoder().decode(encodeLeaf(leaf)).replace('v1"}', 'v1","topicId":"Zm9v"}'));
    expect(Object.keys(JSON.parse(again))).toEqual(Object.keys(JSON.parse(again)).sort());
  });

  test('are the same only for equal leaves', () => {
    fc.assert(
      fc.property(anyLeaf, anyLeaf, (a, b) => {
        expect(encodeLeaf({ ...a })).toEqual(encodeLeaf(a));
        for (const field of Object.keys(a) as (keyof Leaf)[]) {
          const other = { ...a, [field]: b[field] };
          expect(hex(encodeLeaf(other)) === hex(encodeLeaf(a))).toBe(
            String(a[field]) === String(b[field]) && (a[field] === null) === (b[field] === null),
          );
        }
      }),
    );
  });

  test('tell a forged twin and a duplicate at another offset from the event itself', () => {
    const twins = [
      leaf,
      { ...leaf, source: '/elsewhere' },
      { ...leaf, offset: '9007199254740994' },
      { ...leaf, topic: 'x' },
    ];
    expect(new Set(twins.map((twin) => hex(leafHash(twin)))).size).toBe(twins.length);
  });
});

describe("an event's bytes", () => {
  const bytes = (value: string) => new Uint8Array(Buffer.from(value));

  test('are length-prefixed key, headers and value', () => {
    const record = { key: bytes('k'), headers: { b: bytes('2'), a: ['x', 'yz'] }, value: null };
    expect(hex(eventBytes(record))).toBe(
      [
        '00000001',
        '6b',
        '00000003',
        '0000000161',
        '0000000178',
        '0000000161',
        '00000002797a',
        '0000000162',
        '0000000132',
        'ffffffff',
      ].join(''),
    );
  });

  test('do not depend on the order of header names', () => {
    const headers = { ce_id: '1', ce_source: '/a', 'content-type': 'application/json' };
    const turned = Object.fromEntries(Object.entries(headers).reverse());
    expect(eventBytes({ key: null, headers: turned, value: null })).toEqual(
      eventBytes({ key: null, headers, value: null }),
    );
  });

  test('differ with the smallest difference in key, headers or value', () => {
    const record = { key: bytes('ab'), headers: { h: 'c' }, value: bytes('d') };
    const others = [
      record,
      { ...record, key: null },
      { ...record, key: bytes('') },
      { ...record, value: null },
      { ...record, value: bytes('') },
      { ...record, headers: {} },
      { ...record, headers: { h: '' } },
      { ...record, headers: { h: null } },
      { ...record, headers: { h: ['c', 'c'] } },
      { ...record, headers: { hc: '' } },
      { key: bytes('a'), headers: { h: 'bc' }, value: bytes('d') },
    ];
    expect(new Set(others.map((other) => hex(eventBytes(other)))).size).toBe(others.length);
  });

  test('give back key, headers and value', () => {
    const record = { key: bytes('k'), headers: { b: bytes('2'), a: ['x', 'yz'], c: null }, value: null };
    const read = readEventBytes(eventBytes(record));
    expect(read).toEqual({
      key: bytes('k'),
      headers: [
        ['a', bytes('x')],
        ['a', bytes('yz')],
        ['b', bytes('2')],
        ['c', null],
      ],
      value: null,
    });
  });

  test('are refused when they are cut or go on', () => {
    const whole = eventBytes({ key: bytes('k'), headers: { a: 'x' }, value: bytes('v') });
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => readEventBytes(whole.subarray(0, length))).toThrow(RangeError);
    }
    expect(() => readEventBytes(new Uint8Array([...whole, 0]))).toThrow(RangeError);
  });
});
