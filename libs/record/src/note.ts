import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { sha256 } from './merkle.js';

/** A public key that verifies notes. `hash` is the key's short name in signature lines: 8 hex digits. */
export interface VerifierKey {
  readonly name: string;
  readonly hash: string;
  readonly publicKey: KeyObject;
}

/** A private key that signs notes. */
export interface SigningKey extends VerifierKey {
  readonly privateKey: KeyObject;
}

/** Why a note or a checkpoint was not accepted. */
export interface Refusal {
  readonly ok: false;
  readonly kind: 'malformed' | 'bad-signature' | 'unknown-key' | 'wrong-origin';
  readonly detail: string;
}

/** A note with at least one verified signature of a known key, and no failed one. */
export interface OpenedNote {
  readonly ok: true;
  /** The signed text, with its last newline. */
  readonly text: string;
  /** The names of the known keys that signed it. */
  readonly signedBy: readonly string[];
}

const ED25519 = 0x01;
const ED25519_KEY_BYTES = 32;
const ED25519_SIGNATURE_BYTES = 64;
const KEY_HASH_BYTES = 4;
const MAX_SIGNATURES = 100;

/**
 * A signing key from a name and an Ed25519 private key. For a log, the name is its origin. Throws a `TypeError` on another kind
 * of key, and on a name that is empty or holds a space or a plus.
 */
export function signingKey(name: string, privateKey: KeyObject): SigningKey {
  if (privateKey.type !== 'private') throw new TypeError('not a private key');
  return { ...verifierKey(name, createPublicKey(privateKey)), privateKey };
}

/** A verifier key from a name and an Ed25519 public key. Throws as `signingKey` does. */
export function verifierKey(name: string, publicKey: KeyObject): VerifierKey {
  if (!isKeyName(name)) throw new TypeError(`not a key name: ${JSON.stringify(name)}`);
  if (publicKey.type !== 'public' || publicKey.asymmetricKeyType !== 'ed25519') {
    throw new TypeError('not an Ed25519 public key');
  }
  const hash = sha256(Buffer.from(`${name}\n`), typedKey(publicKey)).subarray(0, KEY_HASH_BYTES);
  return { name, hash: Buffer.from(hash).toString('hex'), publicKey };
}

/** The key as text for people and configuration: `name+hash+base64(0x01 || public key)`. */
export function formatVerifierKey(key: VerifierKey): string {
  return `${key.name}+${key.hash}+${typedKey(key.publicKey).toString('base64')}`;
}

/** The key that `formatVerifierKey` wrote. Throws a `TypeError` on anything else, also on a hash that is not the key's. */
export function parseVerifierKey(text: string): VerifierKey {
  const [name = '', hash, ...encoded] = text.split('+');
  // base64 itself uses plus signs.
  const typed = decodeBase64(encoded.join('+'));
  if (typed?.length !== 1 + ED25519_KEY_BYTES || typed[0] !== ED25519)
    throw new TypeError('not an Ed25519 verifier key');
  const x = typed.subarray(1).toString('base64url');
  const key = verifierKey(name, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }));
  if (key.hash !== hash) throw new TypeError(`the verifier key of ${name} does not have the hash it states`);
  return key;
}

/**
 * Signs a text: a C2SP signed note with one signature line for each key. The text must end in a newline and hold no other control
 * character. Otherwise it throws a `TypeError`.
 */
export function signNote(text: string, keys: readonly SigningKey[]): string {
  if (!isNoteText(text) || !text.endsWith('\n')) throw new TypeError('not a text that a note can hold');
  if (keys.length === 0) throw new TypeError('a note needs a signature');
  const lines = keys.map((key) => {
    const signature = Buffer.concat([Buffer.from(key.hash, 'hex'), sign(null, Buffer.from(text), key.privateKey)]);
    return `— ${key.name} ${signature.toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/**
 * Opens a C2SP signed note. Signatures of unknown keys are ignored. If a signature of a known key fails, the note is refused,
 * whatever other signatures it has. A note without any signature of a known key is refused too. More than 100 signatures are
 * malformed.
 */
export function openNote(note: string, keys: readonly VerifierKey[]): OpenedNote | Refusal {
  const parts = splitNote(note);
  if (parts === undefined) return refusal('malformed', 'not a signed note');

  const signedBy = new Set<string>();
  for (const { name, hash, signature } of parts.signatures) {
    const known = keys.filter((key) => key.name === name && key.hash === hash);
    if (known.length === 0) continue;
    const holds = known.some(
      ({ publicKey }) =>
        signature.length === ED25519_SIGNATURE_BYTES && verify(null, Buffer.from(parts.text), publicKey, signature),
    );
    if (!holds) return refusal('bad-signature', `the signature of ${name} (${hash}) is not of this text`);
    signedBy.add(name);
  }
  if (signedBy.size === 0) return refusal('unknown-key', 'no key that is trusted here has signed it');
  return { ok: true, text: parts.text, signedBy: [...signedBy] };
}

/** A refusal as a value. */
export const refusal = (kind: Refusal['kind'], detail: string): Refusal => ({ ok: false, kind, detail });

/** Standard base64 with padding, or undefined. Node's decoder alone skips characters that are not base64. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

interface SignatureLine {
  readonly name: string;
  readonly hash: string;
  readonly signature: Uint8Array;
}

function splitNote(note: string): { text: string; signatures: SignatureLine[] } | undefined {
  const blank = note.lastIndexOf('\n\n');
  if (blank < 0 || !isNoteText(note) || !note.endsWith('\n')) return undefined;
  const lines = note.slice(blank + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) return undefined;
  const signatures = lines.map(parseSignatureLine);
  return signatures.every((line) => line !== undefined) ? { text: note.slice(0, blank + 1), signatures } : undefined;
}

function parseSignatureLine(line: string): SignatureLine | undefined {
  const [dash, name = '', encoded = '', ...more] = line.split(' ');
  const bytes = decodeBase64(encoded);
  if (dash !== '—' || !isKeyName(name) || more.length > 0) return undefined;
  if (bytes === undefined || bytes.length <= KEY_HASH_BYTES) return undefined;
  return {
    name,
    hash: bytes.toString('hex', 0, KEY_HASH_BYTES),
    signature: bytes.subarray(KEY_HASH_BYTES),
  };
}

function typedKey(publicKey: KeyObject): Buffer {
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return Buffer.concat([Uint8Array.of(ED25519), Buffer.from(x, 'base64url')]);
}

const isKeyName = (name: string): boolean =>
  name !== '' && name.isWellFormed() && !/[\p{White_Space}\p{Cc}+]/u.test(name);

/** Well-formed, and no ASCII control character except the newline. */
const isNoteText = (text: string): boolean =>
  text.isWellFormed() && ![...text].some((character) => character < ' ' && character !== '\n');
