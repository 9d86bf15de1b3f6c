import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import { expect, test } from 'vitest';
import { signal } from '../core/testing.js';
import { Secrecy } from './secrecy.js';
import type { Settings } from './settings.js';

const { privateKey, publicKey } = await generateKeyPair('ECDH-ES', { crv: 'X25519', extractable: true });
const settings = {
  identityKey: Buffer.alloc(32, 7),
  contactPointsKey: { ...(await exportJWK(publicKey)), kid: 'executors-1' },
} as unknown as Settings;
const secrecy = new Secrecy(settings);
const person = '7f2d6c1e-33a8-4f0e-9a53-0b8f8f1f6a11';

test('[case 26] one address in several spellings is one identity', () => {
  const identities = [
    ['Jane@Example.com', ' jane@example.com ', 'Jane Doe <JANE@example.com>', '"jane"@example.com'],
    ['anna@straße.example', 'Anna@XN--STRAE-OQA.example', 'anna@STRA\u00dfE.EXAMPLE'],
  ].map(
    (spellings) =>
      new Set(spellings.flatMap((email) => secrecy.identitiesOf(signal('EmailOpened', { contact: { email } })))),
  );
  expect(identities.map((known) => known.size)).toEqual([1, 1]);
});

test('identities are keyed hashes, the reference first: neither it nor the address can be read from them', () => {
  const contact = { ref: 'crm:1', email: 'jane@example.com' };
  const identities = secrecy.identitiesOf(signal('EmailOpened', { contact }));
  expect(identities).toEqual([
    expect.stringMatching(/^ref:[0-9a-f]{64}$/),
    expect.stringMatching(/^email:[0-9a-f]{64}$/),
  ]);
  const other = new Secrecy({ ...settings, identityKey: Buffer.alloc(32, 8) });
  expect(other.identitiesOf(signal('EmailOpened', { contact }))).not.toEqual(identities);
});

test('what is kept here of a person opens under the same key for the same contact only', () => {
  const fields = { firstName: { value: 'Jane', at: '2026-01-01T00:00:00.000Z' } };
  const encrypted = secrecy.encrypt(person, fields);
  expect(encrypted.toString('latin1')).not.toContain('Jane');
  expect(secrecy.decrypt(person, encrypted)).toEqual(fields);
  expect(() => secrecy.decrypt('0d4b5bd4-6a55-4f1f-8a3c-4d2b57a7c0de', encrypted)).toThrow();
});

test('sealed points open with the executors key and name it', async () => {
  const { plaintext, protectedHeader } = await compactDecrypt(await secrecy.seal({ firstName: 'Jane' }), privateKey);
  expect(JSON.parse(Buffer.from(plaintext).toString())).toEqual({ firstName: 'Jane' });
  expect(protectedHeader).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM', kid: 'executors-1' });
});
