import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readAddress, withoutAddresses } from './address.js';

test.each([
  ['anna@firma.xn--p1ai', 'anna@firma.xn--p1ai'],
  ['straße@firma.example', 'straße@firma.example'],
  ['anna@firma.рф', 'anna@firma.xn--p1ai'],
  ["o'hara+x@firma.example", "o'hara+x@firma.example"],
  ['!#$%&*+-/=?^_`{|}~@firma.example', '!#$%&*+-/=?^_`{|}~@firma.example'],
  ['"a b"@firma.example', 'a b@firma.example'],
  ['"a@b"@firma.example', 'a@b@firma.example'],
  ['"a\\"b"@firma.example', 'a"b@firma.example'],
  ['""@firma.example', '@firma.example'],
  ['用户@例子.公司', '用户@xn--fsqu00a.xn--55qx5d'],
  ['अजय@डाटा.भारत', 'अजय@xn--c2bd1gb.xn--h2brj9c'],
  ['root@localhost', 'root@localhost'],
  ['anna@3.example', 'anna@3.example'],
  ['anna@1.2', 'anna@1.2'],
  ['anna@[192.168.0.1]', 'anna@[192.168.0.1]'],
  ['anna@[IPv6:2001:DB8:0::1]', 'anna@[2001:db8::1]'],
  ['anna@[tag:x-1]', 'anna@[tag:x-1]'],
  ['anna..b.@docomo.example', 'anna..b.@docomo.example'],
  ['anna@xn--zzz.example', 'anna@xn--zzz.example'],
  [`${'a'.repeat(64)}@${`${'b'.repeat(63)}.`.repeat(3)}${'c'.repeat(63)}`, expect.any(String)],
])('%s is an address', (text, identity) => {
  expect(readAddress(text)).toEqual({ address: text, identity });
});

test.each([
  ['', 'anna', '@firma.example', 'anna@', 'anna@@firma.example', 'a b@firma.example', '"a"b"@firma.example'],
  ['anna@firma .example', 'anna@.example', 'anna@firma..example', 'anna@firma.example.', 'anna@fir%6da.ä', 'anna@a/ä'],
  ['anna@[192.168.0.256]', 'anna@[192.168.0]', 'anna@[IPv6:zz]', 'anna@[]', 'a\u0000@b.example', 'a\ud800@b.example'],
  ['5d41402abc4b2a76b9719d911017c592', 'anna <>', 'anna <anna>', `${'a'.repeat(320)}@b.example`],
])('%j is none, nor are the others', (...texts) => {
  for (const text of texts) expect([text, readAddress(text)]).toEqual([text, undefined]);
});

test.each([
  ['case', 'Jane@Example.com', 'jane@example.COM'],
  ['white space and a display name', ' jane@example.com ', '"Doe, J <x>" <jane@example.com>'],
  ['quotes that are not needed', '"jane"@example.com', 'jane@example.com'],
  ['A-label and U-label', 'jane@XN--STRAE-OQA.example', 'jane@straße.example'],
  ['composition in the local part', 'jos\u00e9@example.com', 'JOSE\u0301@example.com'],
  ['composition in the domain', 'jane@caf\u00e9.example', 'jane@cafe\u0301.example'],
])('%s tell nobody apart', (_name, written, other) => {
  expect(readAddress(written)?.identity).toBe(readAddress(other)?.identity);
});

test('an address goes to who it was written to: only what stands around it is left out', () => {
  expect(readAddress(' Jane Doe <"J D"@STRAßE.example> ')?.address).toBe('"J D"@STRAßE.example');
});

test('every address that a library takes is read, and known by what it was known by: in lower case', () => {
  const taken = z.email();
  fc.assert(
    fc.property(fc.emailAddress(), (text) => {
      expect(readAddress(text)).toMatchObject({ address: text });
      if (taken.safeParse(text).success) expect(readAddress(text)?.identity).toBe(text.toLowerCase());
    }),
  );
});

test('whatever a text is, reading it throws nothing and ends soon', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void readAddress(text)));
  for (const part of ['"', '\\"', 'a.', '<', '" <', 'ä.', '@', '""']) readAddress(`${part.repeat(100_000)}@x>`);
});

test.each([
  ["write to o'hara@firma.example.", 'write to [address]'],
  ['"a b"@firma.example or anna@[IPv6:::1]', '[address] or [address]'],
  ['straße@firma.рф, anna@xn--e1afmkfd.example', '[address], [address]'],
  ['@handle and a@b stay', '@handle and a@b stay'],
])('of %j nobody is left in the text', (text, expected) => {
  expect(withoutAddresses(text, '[address]')).toBe(expected);
});
