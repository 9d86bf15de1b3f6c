import { HASH_BYTES, type TreeHead } from './merkle.js';
import { decodeBase64, openNote, type Refusal, refusal, type SigningKey, signNote, type VerifierKey } from './note.js';

/** A tree head as a log publishes it (C2SP tlog-checkpoint). */
export interface Checkpoint extends TreeHead {
  /** The log's unique name, by convention a URL without its scheme. */
  readonly origin: string;
  /** Further lines of the signed text, opaque here. The standard advises against them. */
  readonly extensions?: readonly string[];
}

/** A checkpoint whose signature was verified. */
export interface OpenedCheckpoint {
  readonly ok: true;
  readonly checkpoint: Checkpoint;
  readonly signedBy: readonly string[];
}

/** The text of a checkpoint that is signed: origin, size, base64 root, extension lines. */
export function formatCheckpoint({ origin, size, root, extensions = [] }: Checkpoint): string {
  return [origin, size, Buffer.from(root).toString('base64'), ...extensions].map((line) => `${line}\n`).join('');
}

/** The checkpoint in a text, or undefined if it is not one: only the exact form is accepted. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  if (!text.endsWith('\n')) return undefined;
  const [origin, size, root, ...extensions] = text.slice(0, -1).split('\n');
  if (!origin || !size || !root || extensions.includes('')) return undefined;
  const hash = decodeBase64(root);
  if (!/^(0|[1-9][0-9]*)$/.test(size) || !Number.isSafeInteger(Number(size)) || hash?.length !== HASH_BYTES) {
    return undefined;
  }
  const checkpoint = { origin, size: Number(size), root: new Uint8Array(hash) };
  return extensions.length === 0 ? checkpoint : { ...checkpoint, extensions };
}

/**
 * Signs a checkpoint: a signed note. Throws a `TypeError` on a value that the text cannot hold. The caller must ensure that it is
 * consistent with all earlier signed checkpoints.
 */
export function signCheckpoint(checkpoint: Checkpoint, keys: readonly SigningKey[]): string {
  const text = formatCheckpoint(checkpoint);
  const { extensions: wanted = [] } = checkpoint;
  const read = parseCheckpoint(text);
  if (read?.origin !== checkpoint.origin || (read.extensions ?? []).length !== wanted.length) {
    throw new TypeError('not a checkpoint');
  }
  return signNote(text, keys);
}

/** Opens a signed checkpoint of the log `origin` with the keys that are trusted for that log. A refusal says what is wrong. */
export function openCheckpoint(
  note: string,
  trust: { readonly origin: string; readonly keys: readonly VerifierKey[] },
): OpenedCheckpoint | Refusal {
  const opened = openNote(note, trust.keys);
  if (!opened.ok) return opened;
  const checkpoint = parseCheckpoint(opened.text);
  if (checkpoint === undefined) return refusal('malformed', 'a signed text that is not a checkpoint');
  if (checkpoint.origin !== trust.origin) {
    return refusal('wrong-origin', `a checkpoint of ${checkpoint.origin}, not of ${trust.origin}`);
  }
  return { ok: true, checkpoint, signedBy: opened.signedBy };
}
