import { fromBase64 } from './bytes.js';
import { digestOf, leafHashOf, type StoredEvent } from './event.js';
import { type Checkpoint, openCheckpoint, readVerifierKey, type VerifierKey } from './note.js';
import { verifyConsistency, verifyInclusion } from './tree.js';

/** The address of the record, and the key that verifies its checkpoints. */
export interface RecordPlace {
  readonly url: string;
  readonly key: string;
}

/** For the reader, if the console has no such place. */
export const noRecordPlace =
  'This console does not know where the record is. An operator sets RECORD_URL and RECORD_KEY_FILE.';

/** The result of a check. The result is `proved` only if a computation in this browser succeeded. */
export type Checked =
  | { readonly state: 'proved'; readonly index: number; readonly size: number }
  | { readonly state: 'not-signed-yet' }
  | { readonly state: 'not-on-record' }
  | { readonly state: 'wrong'; readonly detail: string }
  | { readonly state: 'unreachable'; readonly detail: string }
  | { readonly state: 'cannot-check'; readonly detail: string };

export type ConsistencyChecked =
  | { readonly state: 'consistent'; readonly to: number }
  | Exclude<Checked, { readonly state: 'proved' | 'not-on-record' }>;

interface Reply {
  readonly status: number;
  readonly body: unknown;
}
/** Asks the record for a page; throws if the record cannot be reached. Tests replace it. */
export type Ask = (address: string) => Promise<Reply>;

const patience = 10_000;
export const askRecord: Ask = async (address) => {
  const response = await fetch(address, { credentials: 'omit', signal: AbortSignal.timeout(patience) });
  return { status: response.status, body: JSON.parse(await textOf(response)) };
};

/** A proof or a refusal has at most a few kilobytes. A larger answer is neither. */
const mostBytes = 262_144;
/** The text of such an answer. */
export async function textOf({ body }: Response): Promise<string> {
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let length = 0; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > mostBytes) {
      await reader.cancel();
      throw new RangeError('the answer is too long');
    }
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
}

/** The key, ready for use; or the text for the reader if it cannot be used. */
export async function keyOf(record: RecordPlace): Promise<VerifierKey | string> {
  if (globalThis.crypto?.subtle === undefined)
    return 'Browsers check signatures only on pages that came over HTTPS or from this machine. Open the console that way.';
  try {
    return (
      (await readVerifierKey(record.key)) ?? 'The key of the record that the console was given is not a valid one.'
    );
  } catch {
    return 'This browser cannot check signatures of this kind (Ed25519). A newer one can.';
  }
}

/**
 * Whether the record holds this event, byte by byte, under a head that its key signed. `seen` is the size of a checkpoint that was
 * published before: if the record answers with fewer entries, it has lost some.
 */
export async function checkEvent(
  event: StoredEvent,
  record: RecordPlace,
  seen = 0,
  ask: Ask = askRecord,
): Promise<Checked> {
  const key = await keyOf(record);
  if (typeof key === 'string') return { state: 'cannot-check', detail: key };
  const digest = await digestOf(event);
  if (digest === undefined) return wrong('the console gave bytes that cannot be read');
  const { topic, partition, offset } = event;
  const query = new URLSearchParams({ topic, partition: String(partition), offset, sha256: digest });
  const answer = await asked(`${record.url}/v1/proofs/inclusion?${query}`, ask);
  if ('state' in answer) return answer;
  if (answer.status === 404) return { state: 'not-on-record' };
  const given = answer.body as { index?: unknown; topicId?: unknown; checkpoint?: unknown; proof?: unknown };
  const proof = hashesOf(given.proof);
  const topicId = given.topicId === null || typeof given.topicId === 'string' ? given.topicId : undefined;
  if (typeof given.index !== 'number' || typeof given.checkpoint !== 'string' || !proof || topicId === undefined)
    return wrong('the answer of the record is not a proof');
  const opened = await headOf(given.checkpoint, key, seen);
  if ('state' in opened) return opened;
  const leafHash = await leafHashOf(event, digest, topicId);
  const holds = await verifyInclusion({ leafHash, index: given.index, head: opened, proof });
  return holds
    ? { state: 'proved', index: given.index, size: opened.size }
    : wrong('the proof does not lead from this event to the signed head');
}

/** Whether the record still begins with all entries that this earlier checkpoint signed. */
export async function checkCheckpoint(
  note: string,
  record: RecordPlace,
  ask: Ask = askRecord,
): Promise<ConsistencyChecked> {
  const key = await keyOf(record);
  if (typeof key === 'string') return { state: 'cannot-check', detail: key };
  const before = await openCheckpoint(note, key);
  if (!before.ok) return wrong(`the checkpoint that was published does not verify: ${before.detail}`);
  const answer = await asked(`${record.url}/v1/proofs/consistency?from=${before.checkpoint.size}`, ask);
  // A published signature cannot be withdrawn.
  if ('state' in answer && answer.state === 'not-signed-yet')
    return wrong(`the record has signed fewer entries than this checkpoint, which has ${before.checkpoint.size}`);
  if ('state' in answer) return answer;
  const given = answer.body as { checkpoint?: unknown; proof?: unknown };
  const proof = hashesOf(given.proof);
  if (typeof given.checkpoint !== 'string' || !proof) return wrong('the answer of the record is not a proof');
  const now = await headOf(given.checkpoint, key, before.checkpoint.size);
  if ('state' in now) return now;
  const holds = await verifyConsistency({ from: before.checkpoint, to: now, proof });
  return holds
    ? { state: 'consistent', to: now.size }
    : wrong('the record does not begin with what this checkpoint signed: something was changed or taken out');
}

type Unproved = Extract<Checked, { readonly detail: string }> | { readonly state: 'not-signed-yet' };
const wrong = (detail: string) => ({ state: 'wrong', detail }) as const;

async function asked(address: string, ask: Ask): Promise<Reply | Unproved> {
  let reply: Reply;
  try {
    reply = await ask(address);
  } catch {
    return { state: 'unreachable', detail: `The record at ${new URL(address).origin} does not answer this browser.` };
  }
  if (reply.status === 200 || reply.status === 404) return reply;
  if (reply.status === 409) return { state: 'not-signed-yet' };
  const { detail } = (reply.body ?? {}) as { detail?: unknown };
  return reply.status === 500
    ? wrong(typeof detail === 'string' ? detail : 'the record failed')
    : { state: 'unreachable', detail: typeof detail === 'string' ? detail : `The record answered ${reply.status}.` };
}

async function headOf(note: string, key: VerifierKey, seen: number): Promise<Checkpoint | Unproved> {
  const opened = await openCheckpoint(note, key);
  if (!opened.ok) return wrong(`the record's checkpoint does not verify: ${opened.detail}`);
  if (opened.checkpoint.size < seen)
    return wrong(`the record answers with ${opened.checkpoint.size} entries, and ${seen} were signed before`);
  return opened.checkpoint;
}

function hashesOf(list: unknown) {
  if (!Array.isArray(list) || list.length > 128) return undefined;
  const hashes = list.map((text) => (typeof text === 'string' ? fromBase64(text) : undefined));
  return hashes.every((hash) => hash !== undefined) ? hashes : undefined;
}
