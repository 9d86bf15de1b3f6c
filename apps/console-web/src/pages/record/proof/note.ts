import { type Bytes, encode, fromBase64, sha256, toHex } from './bytes.js';
import type { Head } from './tree.js';

/** The public key of a record: a C2SP verifier key. */
export interface VerifierKey {
  readonly name: string;
  readonly hash: string;
  readonly publicKey: CryptoKey;
}

/** A signed head whose signature was verified; `origin` is the record's name. */
export interface Checkpoint extends Head {
  readonly origin: string;
}

export type Opened =
  | { readonly ok: true; readonly checkpoint: Checkpoint }
  | { readonly ok: false; readonly detail: string };

const ed25519 = 1;

/**
 * Reads `name+hash+key`; undefined if the text is not of this form, or if its hash belongs to another key. Throws if the browser
 * has no Ed25519.
 */
export async function readVerifierKey(text: string): Promise<VerifierKey | undefined> {
  const [name, hash, encoded, ...more] = splitKey(text);
  const typed = fromBase64(encoded ?? '');
  if (!name || !hash || more.length > 0 || typed?.length !== 33 || typed[0] !== ed25519) return undefined;
  const own = await sha256(encode(`${name}\n`), typed);
  if (toHex(own.slice(0, 4)) !== hash) return undefined;
  const publicKey = await crypto.subtle.importKey('raw', typed.slice(1), { name: 'Ed25519' }, false, ['verify']);
  return { name, hash, publicKey };
}

/** A base64 key may contain a plus too, so only the first two plus signs separate. */
function splitKey(text: string): string[] {
  const first = text.indexOf('+');
  const second = text.indexOf('+', first + 1);
  return first < 0 || second < 0 ? [] : [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)];
}

/** Opens a checkpoint: a signed note whose text is origin, size and root. It accepts only the exact form. */
export async function openCheckpoint(note: string, key: VerifierKey): Promise<Opened> {
  const refused = (detail: string): Opened => ({ ok: false, detail });
  const blank = note.lastIndexOf('\n\n');
  if (blank < 0 || !note.endsWith('\n')) return refused('it is not a signed note');
  const text = note.slice(0, blank + 1);
  const lines = note.slice(blank + 2, -1).split('\n');
  const known = lines.slice(0, 100).flatMap((line) => signatureOf(line, key));
  if (known.length === 0) return refused('it is not signed with the key that this page knows');
  for (const signature of known) {
    const holds = await crypto.subtle.verify({ name: 'Ed25519' }, key.publicKey, signature, encode(text));
    if (!holds) return refused('its signature is not of this text');
  }
  const [origin, size = '', root = '', ...more] = text.slice(0, -1).split('\n');
  const hash = fromBase64(root);
  if (origin !== key.name) return refused('it is of another record');
  if (
    more.length > 0 ||
    !/^(0|[1-9][0-9]{0,15})$/.test(size) ||
    !Number.isSafeInteger(Number(size)) ||
    hash?.length !== 32
  )
    return refused('its text is not that of a checkpoint');
  return { ok: true, checkpoint: { origin, size: Number(size), root: hash } };
}

function signatureOf(line: string, { name, hash }: VerifierKey): Bytes[] {
  const [dash, signer, encoded = '', ...more] = line.split(' ');
  const bytes = fromBase64(encoded);
  if (dash !== '—' || signer !== name || more.length > 0 || bytes === undefined) return [];
  return toHex(bytes.slice(0, 4)) === hash ? [bytes.slice(4)] : [];
}
