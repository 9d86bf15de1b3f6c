import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';

const base64url32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/, '32 bytes in base64url');
const PublicJwk = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string().min(1).max(100),
  x: base64url32,
});
const PrivateJwk = PublicJwk.extend({ d: base64url32 });

/** An Ed25519 public key as a JWK (RFC 8037). */
export interface PublicKeyJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly kid: string;
  readonly x: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
}

export interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
  /** The public key, with which others verify. */
  readonly publicJwk: PublicKeyJwk;
}

/** Reads a private Ed25519 JWK with a `kid`. Throws if it is none; the message holds nothing of the key. */
export function readSigningKey(jwk: unknown): SigningKey {
  const parsed = PrivateJwk.safeParse(jwk);
  if (!parsed.success) throw new Error(`no private Ed25519 JWK with a kid: ${complaint(parsed.error)}`);
  const { kid, x } = parsed.data;
  const key = createPrivateKey({ key: parsed.data as JsonWebKey, format: 'jwk' });
  if (createPublicKey(key).export({ format: 'jwk' }).x !== x) throw new Error(`key ${kid}: x does not belong to d`);
  return { kid, key, publicJwk: { kty: 'OKP', crv: 'Ed25519', kid, x, use: 'sig', alg: 'EdDSA' } };
}

/** The keys that verify permits, by `kid`. An executor takes them only from its operator's configuration. */
export type VerifyKeys = ReadonlyMap<string, KeyObject>;

/** Reads a JWKS (RFC 7517) of Ed25519 public keys: one, or two during a rotation. Throws if it is none. */
export function readVerifyKeys(jwks: unknown): VerifyKeys {
  const parsed = z.object({ keys: z.array(PublicJwk).min(1) }).safeParse(jwks);
  if (!parsed.success) throw new Error(`no JWKS of Ed25519 public keys: ${complaint(parsed.error)}`);
  const keys = new Map<string, KeyObject>();
  for (const { kty, crv, kid, x } of parsed.data.keys) {
    if (keys.has(kid)) throw new Error(`two keys have the kid ${kid}`);
    keys.set(kid, createPublicKey({ key: { kty, crv, x }, format: 'jwk' }));
  }
  return keys;
}

const complaint = (error: z.ZodError): string => {
  const issue = error.issues[0];
  return `${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'invalid'}`;
};
