import { clock, count, type Paint, printable, table } from '@countersign/client/core';
import {
  leafHash,
  openCheckpoint,
  sha256,
  type VerifierKey,
  verifyConsistency,
  verifyInclusion,
} from '@countersign/record';
import type { StorySteps } from './stories-text.js';

/** An event as the console stores it: its place on Kafka, and its bytes in base64. */
export interface StoredEvent {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly source: string;
  readonly id: string;
  readonly bytes: string;
}
/** The record's answer about one event. */
export interface Inclusion {
  readonly index: number;
  readonly topicId: string | null;
  readonly checkpoint: string;
  readonly proof: readonly string[];
}
export interface Consistency {
  readonly checkpoint: string;
  readonly proof: readonly string[];
}

/** The result of a check. Only `proved` depends on nothing but what this computer computed. */
export type Checked =
  | { readonly state: 'proved'; readonly size: number }
  | { readonly state: 'forgotten' | 'not-signed-yet' | 'not-on-record' }
  | { readonly state: 'wrong'; readonly detail: string };

const wrong = (detail: string): Checked => ({ state: 'wrong', detail });

export const digestOf = (event: StoredEvent): string => digest(event).toString('hex');
const digest = (event: StoredEvent): Buffer => Buffer.from(sha256(Buffer.from(event.bytes, 'base64')));
const hashes = (proof: readonly string[]): Buffer[] => proof.map((text) => Buffer.from(text, 'base64'));

/** Whether a proof leads from this event, byte by byte, to a head that the key signed. */
export function checkedEvent(
  event: StoredEvent,
  { index, topicId, checkpoint, proof }: Inclusion,
  key: VerifierKey,
): Checked {
  const opened = openCheckpoint(checkpoint, { origin: key.name, keys: [key] });
  if (!opened.ok) return wrong(`the record's checkpoint does not verify: ${opened.detail}`);
  const { topic, partition, offset, source, id } = event;
  const place = { topic, partition, offset, ...(topicId !== null && { topicId }) };
  const hash = leafHash({ ...place, source, id, sha256: digest(event) });
  const head = opened.checkpoint;
  return verifyInclusion({ leafHash: hash, index, head, proof: hashes(proof) })
    ? { state: 'proved', size: head.size }
    : wrong('the proof does not lead from this event to the signed head');
}

/** Whether the record still begins with everything that an earlier checkpoint signed. */
export function checkedCheckpoint(note: string, { checkpoint, proof }: Consistency, key: VerifierKey): Checked {
  const [before, now] = [note, checkpoint].map((text) => openCheckpoint(text, { origin: key.name, keys: [key] }));
  if (!before?.ok) return wrong(`this checkpoint does not verify: ${before?.detail}`);
  if (!now?.ok) return wrong(`the record's checkpoint does not verify: ${now?.detail}`);
  return verifyConsistency({ from: before.checkpoint, to: now.checkpoint, proof: hashes(proof) })
    ? { state: 'proved', size: now.checkpoint.size }
    : wrong('the record does not begin with what this checkpoint signed: something was changed or taken out');
}

export function checkedText(paint: Paint, checked: Checked): string {
  switch (checked.state) {
    case 'proved':
      return paint.green(`proved, in the record of ${checked.size} entries`);
    case 'forgotten':
      return 'not proved: the console no longer has its bytes. To check the whole record: countersign verify';
    case 'not-signed-yet':
      return paint.yellow('no checkpoint signs it yet');
    case 'not-on-record':
      return paint.red('NOT ON RECORD: check the whole record with countersign verify, and tell an auditor');
    case 'wrong':
      return paint.red(`WRONG: ${printable(checked.detail)}`);
  }
}

export const keyNote = (knownBefore: boolean): string =>
  knownBefore
    ? ''
    : '\nThe key came from the console itself, so this check trusts the console. Otherwise give --key, or run this where `npm start` runs.';

/** The part of a story that was not checked, so that it is not proved even if all its steps are; undefined if there is none. */
export function unprovenPart({ story, steps, more, complete }: StorySteps): string | undefined {
  const instead = 'To check the whole record: countersign verify. To read the whole story: countersign show.';
  if (steps.length === 0) return `Nothing was proved: the console no longer has the steps of this story. ${instead}`;
  if (more) return `Not every step was proved: the story has more steps than the console tells. ${instead}`;
  // A story begins before its proposal.
  const noProposal = story !== null && !steps.some(({ type }) => type === 'ActionProposed');
  if (!complete || noProposal)
    return `Not every step was proved: the console does not have the first steps of this story. ${instead}`;
  return undefined;
}

export const allProved = (proofs: readonly Checked[]): boolean =>
  proofs.length > 0 && proofs.every(({ state }) => state === 'proved');

export function provenText(paint: Paint, found: StorySteps, proofs: readonly Checked[], known: boolean): string {
  const { story, steps } = found;
  const title = story === null ? [] : [paint.bold(printable(`${story.sentence} (${story.outcome})`))];
  const missing = unprovenPart(found);
  const rows = steps.map(({ detail }, n) => [
    printable(detail),
    checkedText(paint, proofs[n] ?? { state: 'forgotten' }),
  ]);
  const lines = [
    ...title,
    ...(rows.length === 0 ? [] : [table(rows)]),
    ...(missing === undefined ? [] : [paint.red(missing)]),
  ];
  return `${lines.join('\n')}${keyNote(known)}`;
}

export interface SeenCheckpoints {
  readonly checkpoints: readonly {
    readonly size: number;
    readonly root: string;
    readonly note: string;
    readonly at: string;
  }[];
  readonly next: number | null;
}

export function checkpointsText(
  paint: Paint,
  given: SeenCheckpoints,
  proofs?: readonly Checked[],
  knownBefore = true,
): string {
  const { checkpoints, next } = printable(given);
  if (checkpoints.length === 0) {
    const none = 'The console has seen no such checkpoint yet.';
    return proofs ? `${none} ${paint.red('Nothing was proved.')}` : none;
  }
  const rows = checkpoints.map(({ at, size, root }, n) => {
    const proof = proofs?.[n];
    return [clock(at), count(size, 'entry', 'entries'), proof ? checkedText(paint, proof) : root];
  });
  return [table(rows), ...(next === null ? [] : [paint.dim(`Smaller ones: --before ${next}`)])]
    .join('\n')
    .concat(keyNote(knownBefore));
}
