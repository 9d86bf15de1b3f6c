import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { canonical, digestOf } from '@countersign/contracts';
import fc from 'fast-check';
import { compactVerify, createLocalJWKSet, decodeProtectedHeader, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { judge } from './judge.js';
import { readSigningKey, readVerifyKeys } from './keys.js';
import { open } from './open.js';
import { PERMIT_TYPE, readPermit, seal, verifyPermit } from './permit.js';
import { approvedEvent, at, content, factsFor, permitKeys, policyOf, proposalOf, stateFor } from './testing.js';

const { signing, keys, jwk } = permitKeys();
const proposal = proposalOf('email.send');
const facts = factsFor(proposal);
const judgement = judge(proposal, facts, policyOf(), at);
const permit = seal(judgement, signing);
const event = approvedEvent(proposal, judgement, signing);
const opened = (jws: string) =>
  open(
    { ...event, permit: jws },
    { keys, audience: 'action-executor/mailer', at, state: stateFor(facts), spent: false },
  );

const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = judgement.claims as NonNullable<typeof judgement.claims>;
/** Signs anything with the right key. */
const signed = (header: unknown, payload: unknown): string => {
  const text = `${b64(header)}.${b64(payload)}`;
  return `${text}.${sign(null, Buffer.from(text), signing.key).toString('base64url')}`;
};
const header = { alg: 'EdDSA', kid: 'test-1', typ: PERMIT_TYPE };

describe('seal', () => {
  test('gives the same bytes for the same judgement and key', () => {
    expect(seal(judge(proposal, facts, policyOf(), at), signing)).toBe(permit);
    expect(seal(judge(proposal, facts, policyOf(), at), readSigningKey(jwk))).toBe(permit);
  });

  test('[case 42] signs approvals only, and nothing that is only observed', () => {
    const escalated = judge(
      proposalOf('ads.publish_creative'),
      factsFor(proposalOf('ads.publish_creative')),
      policyOf(),
      at,
    );
    expect(() => seal(escalated, signing)).toThrow('only an approval is sealed');
    const shadowPolicy = policyOf(content({ charter: { kinds: { 'email.send': 'observe' } } }));
    const observed = judge(proposal, factsFor(proposal, {}, shadowPolicy), shadowPolicy, at);
    expect(() => seal(observed, signing)).toThrow();
    const forced = { ...judgement, claims: { ...claims, tier: 'observe' as const } };
    expect(() => seal(forced, signing)).toThrow();
  });

  test('another implementation of JWS verifies it', async () => {
    const set = createLocalJWKSet({ keys: [signing.publicJwk] });
    const verified = await compactVerify(permit, set, { algorithms: ['EdDSA'] });
    expect(JSON.parse(Buffer.from(verified.payload).toString())).toEqual(claims);
    expect(decodeProtectedHeader(permit)).toEqual(header);
    expect(claims.digest).toBe(digestOf(event.action));
  });

  test('a permit that another implementation signed opens', async () => {
    const jws = await new SignJWT({ ...claims }).setProtectedHeader(header).sign(signing.key);
    expect(opened(jws).ok).toBe(true);
  });
});

describe('bad permits, each with its own reason', () => {
  const foreign = generateKeyPairSync('ed25519').privateKey;
  const bySomebody = (head: object, key = foreign): string => {
    const text = `${b64(head)}.${b64(claims)}`;
    return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
  };
  const hmac = (): string => {
    const text = `${b64({ ...header, alg: 'HS256' })}.${b64(claims)}`;
    const secret = Buffer.from(String(signing.publicJwk.x), 'base64url');
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const spaced = `${b64(header)}.${b64(claims)}`.replace(/.$/, ' ');

  test.each([
    ['no JWS at all', 'no', 'malformed'],
    ['two segments', permit.split('.').slice(0, 2).join('.'), 'malformed'],
    ['four segments', `${permit}.x`, 'malformed'],
    ['a header that is no JSON', `x.${permit.split('.').slice(1).join('.')}`, 'malformed'],
    ['white space in a segment', `${spaced}.${permit.split('.')[2]}`, 'signature'],
    ['padding', `${permit}==`, 'malformed'],
    ['algorithm none', `${b64({ ...header, alg: 'none' })}.${b64(claims)}.`, 'algorithm'],
    ['no signature', `${b64(header)}.${b64(claims)}.`, 'signature'],
    ['an HMAC with the public key', hmac(), 'algorithm'],
    ['algorithm in other letters', signed({ ...header, alg: 'eddsa' }, claims), 'algorithm'],
    ['no algorithm', signed({ kid: 'test-1', typ: PERMIT_TYPE }, claims), 'algorithm'],
    ['another type', signed({ ...header, typ: 'JWT' }, claims), 'type'],
    ['no type', signed({ alg: 'EdDSA', kid: 'test-1' }, claims), 'type'],
    ['a key id that is not configured', bySomebody({ ...header, kid: 'other' }), 'unknown-key'],
    ['no key id', signed({ alg: 'EdDSA', typ: PERMIT_TYPE }, claims), 'unknown-key'],
    ['another key under the right id', bySomebody(header), 'signature'],
    ['a key carried in the header', signed({ ...header, jwk: signing.publicJwk }, claims), 'key-in-header'],
    [
      'an address of keys in the header',
      signed({ ...header, jku: 'https://example.com/keys' }, claims),
      'key-in-header',
    ],
    [
      'an address of a certificate in the header',
      signed({ ...header, x5u: 'https://example.com/c' }, claims),
      'key-in-header',
    ],
    ['a critical extension', signed({ ...header, crit: ['b64'], b64: false }, claims), 'header-member'],
    ['a payload that is no object', signed(header, [claims]), 'malformed'],
    ['several audiences', signed(header, { ...claims, aud: [claims.aud, 'x/y'] }), 'audience-several'],
    ['a claim that nobody knows', signed(header, { ...claims, admin: true }), 'claim'],
    ['an expiry before the start', signed(header, { ...claims, exp: claims.nbf }), 'claim'],
    ['an expiry that no calendar knows', signed(header, { ...claims, exp: Number.MAX_SAFE_INTEGER }), 'claim'],
    ['what is only observed', signed(header, { ...claims, tier: 'observe' }), 'shadow'],
    ['another issuer', signed(header, { ...claims, iss: '/countersign/console' }), 'claim'],
  ])('[case 11] %s is refused and settles nothing', (_name, jws, code) => {
    const result = opened(jws);
    expect(result).toMatchObject({ ok: false, refusal: { kind: 'refused', code, settles: null } });
  });

  test('[case 9] a repeated member of the payload is refused', () => {
    const payload = JSON.stringify(claims).replace('{', '{"tier":"suggest",');
    const text = `${b64(header)}.${Buffer.from(payload).toString('base64url')}`;
    const jws = `${text}.${sign(null, Buffer.from(text), signing.key).toString('base64url')}`;
    expect(opened(jws)).toMatchObject({ ok: false, refusal: { code: 'malformed' } });
  });

  test.each(Object.keys(claims))(
    '[case 11] without the claim %s, though well signed, it is refused and the claim is named',
    (name) => {
      const { [name as keyof typeof claims]: _left, ...rest } = claims;
      expect(opened(signed(header, rest))).toMatchObject({
        ok: false,
        refusal: { code: 'claim', detail: `the claim "${name}" is missing`, settles: null },
      });
    },
  );

  test('[case 11] the twin of all of these opens', () => {
    expect(opened(signed(header, claims)).ok).toBe(true);
  });
});

describe('a permit that was changed', () => {
  test('[case 57] in any byte never opens', () => {
    fc.assert(
      fc.property(fc.nat(permit.length - 1), fc.integer({ min: 32, max: 126 }), (index, code) => {
        const changed = `${permit.slice(0, index)}${String.fromCharCode(code)}${permit.slice(index + 1)}`;
        expect(opened(changed).ok).toBe(changed === permit);
      }),
      { numRuns: 3000 },
    );
  });

  test('by every possible last character never opens: base64url has no free bits', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const openedBy = [...alphabet].filter((last) => opened(permit.slice(0, -1) + last).ok);
    expect(openedBy).toEqual([permit.at(-1)]);
  });

  test('by cutting, doubling or inserting never opens', () => {
    fc.assert(
      fc.property(fc.nat(permit.length - 1), fc.nat(5), fc.string({ maxLength: 3 }), (index, cut, insert) => {
        const changed = permit.slice(0, index) + insert + permit.slice(index + cut);
        expect(opened(changed).ok).toBe(changed === permit);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('verifyPermit', () => {
  test('explains a good one', () => {
    const explained = verifyPermit(`${permit}\n`, keys, at);
    expect(explained).toMatchObject({ ok: true, claims: { kind: 'email.send' } });
    expect(explained.lines).toContain(`Valid signature by key test-1.`);
    expect(explained.lines.at(-1)).toBe(`At ${at} it is within its time.`);
  });

  test('says of a bad one why', () => {
    expect(verifyPermit('x.y.z', keys)).toMatchObject({ ok: false, code: 'malformed' });
  });
});

describe('keys', () => {
  test('two keys serve during a rotation, and each permit names its own', () => {
    const next = permitKeys('test-2');
    const both = readVerifyKeys({ keys: [signing.publicJwk, next.signing.publicJwk] });
    expect(readPermit(permit, both)).toMatchObject({ ok: true, kid: 'test-1' });
    expect(readPermit(seal(judgement, next.signing), both)).toMatchObject({ ok: true, kid: 'test-2' });
    expect(readPermit(permit, next.keys)).toMatchObject({ ok: false, code: 'unknown-key' });
  });

  test('what is no Ed25519 key is refused at start-up, without a word of the key', () => {
    const secret = String(jwk.d);
    for (const bad of [{}, null, { ...jwk, kid: undefined }, { ...jwk, crv: 'X25519' }, { ...jwk, d: 'short' }]) {
      expect(() => readSigningKey(bad)).toThrow();
    }
    const mixed = { ...jwk, x: permitKeys().jwk.x };
    expect(() => readSigningKey(mixed)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    );
    expect(() => readVerifyKeys({ keys: [] })).toThrow();
    expect(() => readVerifyKeys({ keys: [signing.publicJwk, signing.publicJwk] })).toThrow('two keys');
  });

  test('a public key never carries the private one', () => {
    expect(canonical(signing.publicJwk)).not.toContain(String(jwk.d));
  });
});
