import { type ActionSettled, type Fault, plainText } from '@countersign/contracts';
import type { Refusal, Wait } from '@countersign/gate';
import { type Answer, type Found, settleable, type Unknown } from './answer.js';

/*
 * The life of a permit at this executor: states, events, and for each pair the next state and the effect. Pure: the shell writes,
 * calls and waits as the effect says, and reports the result as the next event.
 */

/** The names of a permit's ends. */
export type EndName = Exclude<ActionSettled['outcome'], 'undone'>;

/** The one end of a permit, as in its row and in its settlement. */
export type End = Pick<ActionSettled, 'reason' | 'externalReference' | 'spentMinor' | 'before' | 'after'> & {
  readonly outcome: EndName;
};

/** The gate's present answer about a permit: the result of `open()` or `recheck()`, without the action. */
export type GateAnswer =
  | { readonly kind: 'opens' }
  /** It is valid, but not now: its time has not come, or our own state is behind it. */
  | { readonly kind: 'waits'; readonly until: string | null; readonly reason: Fault }
  /** It is valid, but must not run: this is its one end. */
  | { readonly kind: 'ends'; readonly outcome: 'refused' | 'expired'; readonly reason: Fault }
  /** Forged, altered, for another audience, or used by another approval: it ends nothing. */
  | { readonly kind: 'void'; readonly reason: Fault };

/** The progress of one turn of an intent. */
export interface Tried {
  /** This turn, from 1. */
  readonly turn: number;
  /** Calls of earlier turns that may have been sent. 0: certainly none. */
  readonly sent: number;
}

/** A permit that has its end. */
export type Ended = { readonly state: EndName; readonly end: End };
/** An approval that settles nothing. It is only recorded. */
export type Rejected = { readonly state: 'rejected'; readonly reason: Fault };

/** The state of a permit, as one of its approvals sees it. */
export type Permit =
  /** No approval is known to have taken its row. */
  | { readonly state: 'new' }
  /** Another approval has taken its row: this one is a replay. */
  | { readonly state: 'used' }
  /** Our intent, between turns. Certainly no call was sent. */
  | { readonly state: 'held'; readonly turns: number }
  /** Our intent, between turns. A call may have been sent. */
  | { readonly state: 'doubtful' }
  /** In a turn that makes the first call. */
  | { readonly state: 'calling'; readonly tried: Tried }
  /** In a turn that first asks for the key. */
  | { readonly state: 'asking'; readonly tried: Tried }
  /** In the same turn: the system does not know the key and is called again. */
  | { readonly state: 'repeating'; readonly tried: Tried }
  | Ended
  | Rejected;
export type State = Permit['state'];

/** What happens to a permit. */
export type Event =
  /** Its job is claimed. `readBefore`: the approval was read before a restore, and the lost work may have called. */
  | { readonly on: 'claimed'; readonly gate: GateAnswer; readonly readBefore: boolean }
  /** Its connector accepts nothing for this time. A paused connector does not answer. */
  | { readonly on: 'held-up'; readonly gate: GateAnswer; readonly inMs: number; readonly paused: boolean }
  /** The turn is counted in its row. */
  | { readonly on: 'turn'; readonly tried: Tried }
  /** Another instance or approval changed the row first. */
  | { readonly on: 'overtaken'; readonly at: string }
  /** The check directly before the first call. */
  | { readonly on: 'looked'; readonly gate: GateAnswer }
  /** The turn is too late for a first call, because earlier calls took long. */
  | { readonly on: 'put-off'; readonly until: string }
  /** The result of asking for the key, and the gate's answer after it. */
  | { readonly on: 'found'; readonly found: Found; readonly gate: GateAnswer }
  /** The result of a call. */
  | { readonly on: 'answered'; readonly answer: Answer | Unknown }
  /** Its job failed for good. */
  | { readonly on: 'given-up'; readonly gate: GateAnswer; readonly readBefore: boolean; readonly fault: Fault }
  /** A person decided how it ended. */
  | { readonly on: 'decided'; readonly end: End & { readonly outcome: 'executed' | 'failed' } }
  /** After a restore: this approval had been answered before. */
  | { readonly on: 'restored'; readonly as: Ended | Rejected };

/** How long a permit's job waits. */
export type Pause = { readonly inMs: number } | { readonly until: string };

/** What the shell does in a step. */
export type Effect =
  /** Take the row as an intent, and begin its first turn. `ifFree`: only if the connector accepts more. */
  | { readonly do: 'take'; readonly ifFree: boolean }
  /**
   * Count a turn. `lost`: also count the turn that a restore lost. `unasked`: do not ask the connector, because it does not
   * answer.
   */
  | { readonly do: 'turn'; readonly ifFree: boolean; readonly lost?: true; readonly unasked?: true }
  /** Compare again, right before the first call. */
  | { readonly do: 'look' }
  /** Ask the connected system for the key. */
  | { readonly do: 'ask' }
  /** Call the connected system. */
  | { readonly do: 'call' }
  /**
   * Write the end and settle it. `where` is the condition on the row: nobody has taken it (`free`), no other instance has begun
   * since (`alone`, because the end says that nothing was done), a person decided it (`unresolved`). `open`: the end that was
   * written first stands, and is settled.
   */
  | { readonly do: 'settle'; readonly where: 'free' | 'alone' | 'open' | 'unresolved' }
  /** Record the approval. */
  | { readonly do: 'reject' }
  /** Put the job off. `turn`: `back` if the turn was no try and is given back, `unsent` if certainly no call was sent in it. */
  | { readonly do: 'wait'; readonly pause: Pause; readonly turn?: 'back' | 'unsent' }
  /** The event changes nothing here. */
  | { readonly do: 'nothing' };

export interface Step {
  readonly to: Permit;
  readonly effect: Effect;
}

/** How often a connected system is called for one permit, and with which pauses. */
export interface Patience {
  /**
   * Turns for one intent. The first turn only calls. If a call may have been sent, each later turn asks first, and the last one
   * only asks.
   */
  readonly turns: number;
  /** Pause after the first turn without an answer. Each pause is twice as long as the one before, at most half a minute. */
  readonly backoffMs: number;
  /** Pause while our own state is behind a permit. */
  readonly behindMs: number;
}

/** The gate's answer in the words of this service. */
export function gateAnswer(
  opening: { readonly ok: true } | { readonly ok: false; readonly refusal: Refusal | Wait },
): GateAnswer {
  if (opening.ok) return { kind: 'opens' };
  const { code, detail } = opening.refusal;
  const reason = { code, detail };
  if (opening.refusal.kind === 'wait') return { kind: 'waits', until: opening.refusal.until, reason };
  const { settles } = opening.refusal;
  return settles === null ? { kind: 'void', reason } : { kind: 'ends', outcome: settles, reason };
}

/** The state of a permit by its row, for the approval of this job. */
export function standing(
  row:
    | { readonly jobId: string; readonly turns: number; readonly unsent: number; readonly end: End | null }
    | undefined,
  jobId: string,
): Permit {
  if (!row) return { state: 'new' };
  if (row.jobId !== jobId) return { state: 'used' };
  if (row.end) return ended(row.end);
  return row.turns > row.unsent ? { state: 'doubtful' } : { state: 'held', turns: row.turns };
}

/** The next state of a permit, and the effect. Every state handles every event. */
export function step(permit: Permit, event: Event, patience: Patience): Step {
  switch (event.on) {
    case 'claimed':
      return onClaimed(permit, event, patience);
    case 'held-up':
      return onHeldUp(permit, event);
    case 'turn':
      return onTurn(permit, event.tried);
    case 'overtaken':
      return isBetweenTurns(permit) ? waits(permit, { until: event.at }) : nothing(permit);
    case 'looked':
      return permit.state === 'calling' ? onLooked(permit, event.gate, patience) : nothing(permit);
    case 'put-off':
      return permit.state === 'calling' ? givesBack(permit.tried, { until: event.until }) : nothing(permit);
    case 'found':
      return permit.state === 'asking' ? onFound(permit, event, patience) : nothing(permit);
    case 'answered':
      return permit.state === 'calling' || permit.state === 'repeating'
        ? onAnswered(permit, event.answer, patience)
        : nothing(permit);
    case 'given-up':
      return onGivenUp(permit, event);
    case 'decided':
      return permit.state === 'unresolved' ? settles(event.end, 'unresolved') : nothing(permit);
    case 'restored':
      return onRestored(permit, event.as);
  }
}

/** A claim begins with a permit between turns, or with its end. */
function onClaimed(permit: Permit, { gate, readBefore }: Event & { on: 'claimed' }, patience: Patience): Step {
  switch (permit.state) {
    case 'new':
      if (gate.kind === 'waits') return waits(permit, untilOf(gate, patience));
      if (gate.kind === 'void') return rejects(gate.reason);
      // The lost work may have called. So the row is taken in the state `doubtful`, and the connected system is asked first.
      if (readBefore) return { to: { state: 'doubtful' }, effect: { do: 'take', ifFree: gate.kind === 'opens' } };
      if (gate.kind === 'ends') return settles({ outcome: gate.outcome, reason: gate.reason }, 'free');
      return { to: { state: 'held', turns: 1 }, effect: { do: 'take', ifFree: true } };
    case 'used':
      return gate.kind === 'waits' ? waits(permit, untilOf(gate, patience)) : rejects(replay(gate));
    case 'held':
      if (gate.kind === 'waits') return waits(permit, untilOf(gate, patience));
      if (readBefore) return { to: { state: 'doubtful' }, effect: { do: 'turn', ifFree: false, lost: true } };
      if (gate.kind === 'opens') return { to: permit, effect: { do: 'turn', ifFree: true } };
      return uncalled(gate.kind === 'ends' ? gate.outcome : 'refused', gate.reason);
    case 'doubtful':
      return { to: permit, effect: { do: 'turn', ifFree: true } };
    case 'executed':
    case 'failed':
    case 'refused':
    case 'expired':
    case 'unresolved':
      return settles(permit.end, 'open');
    case 'calling':
    case 'asking':
    case 'repeating':
    case 'rejected':
      return nothing(permit);
  }
}

/**
 * A permit waits for its connector while it may run. A permit that may have been called, and may not be called any more, goes
 * through its turns without a question if the system does not answer. Its end then makes no claim about the effect.
 */
function onHeldUp(permit: Permit, { gate, inMs, paused }: Event & { on: 'held-up' }): Step {
  if (permit.state === 'doubtful' && gate.kind !== 'opens' && paused)
    return { to: permit, effect: { do: 'turn', ifFree: false, unasked: true } };
  return isBetweenTurns(permit) ? waits(permit, { inMs }) : nothing(permit);
}

function onTurn(permit: Permit, tried: Tried): Step {
  if (permit.state === 'held' && tried.sent === 0) return { to: { state: 'calling', tried }, effect: { do: 'look' } };
  return permit.state === 'held' || permit.state === 'doubtful'
    ? { to: { state: 'asking', tried }, effect: { do: 'ask' } }
    : nothing(permit);
}

/** Directly before the first call. Nobody has called, so `refused` is true. */
function onLooked(permit: Permit & { state: 'calling' }, gate: GateAnswer, patience: Patience): Step {
  switch (gate.kind) {
    case 'opens':
      return { to: permit, effect: { do: 'call' } };
    case 'waits':
      return givesBack(permit.tried, untilOf(gate, patience));
    case 'ends':
    case 'void':
      return uncalled('refused', gate.reason);
  }
}

/**
 * After asking for the key of an intent that may have been called. A missing key is never a failure, and only an action that may
 * run now is called again.
 */
function onFound(
  { tried }: Permit & { state: 'asking' },
  { found, gate }: Event & { on: 'found' },
  patience: Patience,
): Step {
  switch (found.outcome) {
    case 'done':
    case 'rejected':
      return settles(endOf(found), 'open');
    case 'unknown':
      return again(found, tried, patience, 'unsent');
    case 'absent':
      break;
  }
  switch (gate.kind) {
    case 'opens':
      return tried.turn < patience.turns
        ? { to: { state: 'repeating', tried }, effect: { do: 'call' } }
        : unresolved('not-confirmed', `${left(tried.sent)}, and the connected system does not know the key`);
    case 'waits':
      // A turn in which it is not known whether the action may run is no try. The permit's expiry ends this, at the latest.
      return givesBack(tried, { inMs: backoff(tried.turn, patience) });
    case 'ends':
    case 'void':
      return unresolved(
        gate.reason.code,
        `${left(tried.sent)}, and it must not be called again: ${gate.reason.detail}; the connected system does not know the key`,
      );
  }
}

/**
 * After a call. An answer ends the permit; no answer never does. If a repeated call is refused, that concerns only this call: the
 * earlier call may have had its effect, and may be the reason for the refusal. So the next turn asks for the key.
 */
function onAnswered(
  { tried }: Permit & { state: 'calling' | 'repeating' },
  answer: Answer | Unknown,
  patience: Patience,
): Step {
  const unsent = answer.outcome === 'unknown' && answer.unsent === true;
  const counted = { ...tried, sent: tried.sent + (unsent ? 0 : 1) };
  if (answer.outcome === 'unknown') return again(answer, counted, patience, unsent ? 'unsent' : undefined);
  if (answer.outcome === 'done') return settles(endOf(answer), 'open');
  if (tried.sent === 0) return settles(endOf(answer), 'alone');
  return again({ detail: `a repeated call was refused: ${answer.reason.detail}` }, counted, patience);
}

/**
 * The end of a permit whose job failed for good. If no instance began to call, the end is the gate's answer, else `refused`: the
 * row is taken with that end, so nobody can call any more. If a call may have been sent, the end is `unresolved`, and a person
 * decides.
 */
function onGivenUp(permit: Permit, { gate, readBefore, fault }: Event & { on: 'given-up' }): Step {
  const detail = `the work on it failed for good (${fault.detail})`;
  switch (permit.state) {
    case 'new':
      if (gate.kind === 'void') return rejects(gate.reason);
      return settles(readBefore ? endDoubtful(detail) : endUncalled(gate, detail), 'free');
    case 'used':
      return rejects(replay(gate));
    case 'held':
      return readBefore ? settles(endDoubtful(detail), 'open') : settles(endUncalled(gate, detail), 'alone');
    case 'doubtful':
      return settles(endDoubtful(detail), 'open');
    case 'executed':
    case 'failed':
    case 'refused':
    case 'expired':
    case 'unresolved':
      return settles(permit.end, 'open');
    case 'calling':
    case 'asking':
    case 'repeating':
    case 'rejected':
      return nothing(permit);
  }
}

/** An end from before a restore stands. Of two ends the first one counts, but an unresolved end gives way. */
function onRestored(permit: Permit, as: Ended | Rejected): Step {
  switch (permit.state) {
    case 'new':
    case 'used':
    case 'held':
    case 'doubtful':
      return as.state === 'rejected' ? rejects(as.reason) : settles(as.end, 'open');
    case 'unresolved':
      return settles(as.state === 'rejected' ? permit.end : as.end, 'open');
    case 'executed':
    case 'failed':
    case 'refused':
    case 'expired':
      return settles(permit.end, 'open');
    case 'calling':
    case 'asking':
    case 'repeating':
    case 'rejected':
      return nothing(permit);
  }
}

/** The end of a permit that was never called and is no longer worked. */
function endUncalled(gate: GateAnswer, why: string): End {
  if (gate.kind === 'ends') return { outcome: gate.outcome, reason: gate.reason };
  if (gate.kind === 'void') return { outcome: 'refused', reason: gate.reason };
  return { outcome: 'refused', reason: { code: 'job-failed', detail: plainText(`nothing was called: ${why}`, 1000) } };
}

const endDoubtful = (why: string): End => unresolvedEnd('job-failed', `it may have been called, and ${why}`);

/** Why an approval is a replay, as the gate says when the row belongs to another approval. */
const replay = (gate: GateAnswer): Fault =>
  gate.kind === 'opens' ? { code: 'spent', detail: 'the permit was used before' } : gate.reason;

const nothing = (to: Permit): Step => ({ to, effect: { do: 'nothing' } });

const ended = (end: End): Ended => ({ state: end.outcome, end });

const settles = (end: End, where: (Effect & { do: 'settle' })['where']): Step => ({
  to: ended(end),
  effect: { do: 'settle', where },
});

const rejects = (reason: Fault): Step => ({ to: { state: 'rejected', reason }, effect: { do: 'reject' } });

const waits = (to: Permit, pause: Pause): Step => ({ to, effect: { do: 'wait', pause } });

/** The permit as it was before the turn. */
const givesBack = ({ turn, sent }: Tried, pause: Pause): Step => ({
  to: between(turn - 1, sent),
  effect: { do: 'wait', pause, turn: 'back' },
});

/** An end that says that nothing was done. */
const uncalled = (outcome: 'refused' | 'failed' | 'expired', reason: Fault): Step =>
  settles({ outcome, reason }, 'alone');

const unresolvedEnd = (code: string, detail: string): End => ({
  outcome: 'unresolved',
  reason: { code, detail: plainText(detail, 1000) },
});

const unresolved = (code: string, detail: string): Step => settles(unresolvedEnd(code, detail), 'open');

/** No answer: the permit waits for its next turn, and after the last one it ends. */
function again(why: { readonly detail: string }, { turn, sent }: Tried, patience: Patience, counts?: 'unsent'): Step {
  if (turn < patience.turns) {
    const pause = { inMs: backoff(turn, patience) };
    return { to: between(turn, sent), effect: { do: 'wait', pause, ...(counts && { turn: counts }) } };
  }
  if (sent > 0) return unresolved('no-answer', `${left(sent)}, and no answer tells what came of it: ${why.detail}`);
  const detail = plainText(`nothing could be sent in ${turn} tries: ${why.detail}`, 1000);
  return uncalled('failed', { code: 'not-sent', detail });
}

const between = (turns: number, sent: number): Permit => (sent > 0 ? { state: 'doubtful' } : { state: 'held', turns });

const isBetweenTurns = ({ state }: Permit): boolean =>
  state === 'new' || state === 'used' || state === 'held' || state === 'doubtful';

function endOf(answer: Answer): End {
  const { outcome, ...reported } = settleable(answer);
  return { outcome: outcome === 'done' ? 'executed' : 'failed', ...reported };
}

/** An instance that crashed in its turn cannot report whether its call was sent. */
const left = (sent: number): string => (sent === 1 ? 'one call may have been sent' : `up to ${sent} calls were sent`);

const backoff = (turn: number, { backoffMs }: Patience): number => Math.min(30_000, backoffMs * 2 ** (turn - 1));

const untilOf = ({ until }: { readonly until: string | null }, { behindMs }: Patience): Pause =>
  until === null ? { inMs: behindMs } : { until };
