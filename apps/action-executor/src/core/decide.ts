import { type ActionSettled, type Fault, plainText } from '@countersign/contracts';
import type { Refusal, Wait } from '@countersign/gate';
import { type Answer, type Found, settleable, type Unknown } from './answer.js';

/** How a permit ends, once. */
export type End = Pick<ActionSettled, 'reason' | 'externalReference' | 'spentMinor' | 'before' | 'after'> & {
  readonly outcome: 'executed' | 'failed' | 'refused' | 'expired' | 'unresolved';
};

/** What `open()` or `recheck()` said, without the action it may have brought. */
export type Standing =
  | { readonly kind: 'ok' }
  /** The permit is good, not now: early until a time, or our own state is behind it. */
  | { readonly kind: 'wait'; readonly until: string | null; readonly reason: Fault }
  /** The permit is good, and must not run: its one end. */
  | { readonly kind: 'ends'; readonly outcome: 'refused' | 'expired'; readonly reason: Fault }
  /** Forged, altered, for another audience, or used by another approval: it ends nothing. */
  | { readonly kind: 'void'; readonly reason: Fault };

export type Step =
  | { readonly step: 'spend' }
  | { readonly step: 'call' }
  | {
      readonly step: 'end';
      readonly end: End;
      /** It says that nothing was done: true only as long as no other instance has set out for this permit since. */
      readonly ifAlone?: true;
    }
  /** Recorded, settles nothing. */
  | { readonly step: 'reject'; readonly reason: Fault }
  | {
      readonly step: 'later';
      readonly wait: { readonly inMs: number } | { readonly until: string };
      /** The turn in which nothing was called, to be given back: to wait is no try. */
      readonly unused?: number;
    };

/** What the gate said, in this service's words. */
export function standing(
  said: { readonly ok: true } | { readonly ok: false; readonly refusal: Refusal | Wait },
): Standing {
  if (said.ok) return { kind: 'ok' };
  const { code, detail } = said.refusal;
  const reason = { code, detail };
  if (said.refusal.kind === 'wait') return { kind: 'wait', until: said.refusal.until, reason };
  const { settles } = said.refusal;
  return settles === null ? { kind: 'void', reason } : { kind: 'ends', outcome: settles, reason };
}

/** How often and how patiently a connected system is called for one permit. */
export interface Patience {
  /** Turns for one intent: the first only calls; where a call may have left, each later one asks first and the last one only asks. */
  readonly turns: number;
  /** Pause after the first turn without an answer; doubled each time, at most half a minute. */
  readonly backoffMs: number;
  /** Pause while our own state is behind a permit. */
  readonly behindMs: number;
}

/** Where one turn of an intent stands. */
export interface Tried {
  /** This turn, from 1. */
  readonly turn: number;
  /** Calls of the turns before it that may have left; 0: certainly none has. */
  readonly sent: number;
}

/** What to do with an approval whose permit nobody of ours has taken yet, in the transaction that may spend it. */
export function onOpening(said: Standing, patience: Patience): Step {
  switch (said.kind) {
    case 'ok':
      return { step: 'spend' };
    case 'wait':
      return { step: 'later', wait: untilOf(said, patience) };
    case 'ends':
      return { step: 'end', end: { outcome: said.outcome, reason: said.reason } };
    case 'void':
      return { step: 'reject', reason: said.reason };
  }
}

/** The same for a permit whose intent is ours, and of which it is known that nobody has called: it always comes to an end. */
export function onReopening(said: Standing, patience: Patience): Step {
  return said.kind === 'void' ? uncalled('refused', said.reason) : onOpening(said, patience);
}

/** Before the first call, in the turn that starts it: nobody has called, so that 'refused' is the truth. */
export function beforeFirstCall(now: Standing, { turn }: Tried, patience: Patience): Step {
  switch (now.kind) {
    case 'ok':
      return { step: 'call' };
    case 'wait':
      return { step: 'later', wait: untilOf(now, patience), unused: turn };
    case 'ends':
    case 'void':
      return uncalled('refused', now.reason);
  }
}

/**
 * After asking for the key of an intent that may have been called: absence is never a failure, and only what may run now is
 * called again.
 */
export function onFound(found: Found, now: Standing, tried: Tried, patience: Patience): Step {
  switch (found.outcome) {
    case 'done':
    case 'rejected':
      return { step: 'end', end: endOf(found) };
    case 'unknown':
      return again(found, tried, patience);
    case 'absent':
      break;
  }
  switch (now.kind) {
    case 'ok':
      return tried.turn < patience.turns
        ? { step: 'call' }
        : unresolved('not-confirmed', `${left(tried.sent)}, and the connected system does not know the key`);
    case 'wait':
      // That it cannot be known now whether it may run is no try: it ends with the permit's expiry, at the latest.
      return { step: 'later', wait: { inMs: pause(tried.turn, patience) }, unused: tried.turn };
    case 'ends':
    case 'void':
      return unresolved(
        now.reason.code,
        `${left(tried.sent)}, and it must not be called again: ${now.reason.detail}; the connected system does not know the key`,
      );
  }
}

/**
 * What becomes of a permit whose job failed for good. Nobody set out to call: what the gate says of it, else 'refused', since its
 * row is taken with that end and nobody can call any more. An intent of ours may have been called: 'unresolved', for a person.
 */
export function onGivenUp(stands: Standing | 'intent', fault: Fault): Extract<Step, { step: 'end' | 'reject' }> {
  const detail = `the work on it failed for good (${fault.detail})`;
  if (stands === 'intent') return unresolved('job-failed', `it may have been called, and ${detail}`);
  switch (stands.kind) {
    case 'ends':
      return { step: 'end', end: { outcome: stands.outcome, reason: stands.reason } };
    case 'void':
      return { step: 'reject', reason: stands.reason };
    case 'ok':
    case 'wait':
      return {
        step: 'end',
        end: {
          outcome: 'refused',
          reason: { code: 'job-failed', detail: plainText(`nothing was called: ${detail}`, 1000) },
        },
      };
  }
}

/**
 * After a call. An answer ends the permit; silence never does. A refusal of a repeated call is only about that call: the one
 * before it may have had its effect, and may be what the system refuses it for. What became of the key is asked then.
 */
export function onAnswer(answer: Answer | Unknown, tried: Tried, patience: Patience): Step {
  const counted = { ...tried, sent: tried.sent + (answer.outcome === 'unknown' && answer.unsent ? 0 : 1) };
  if (answer.outcome === 'unknown') return again(answer, counted, patience);
  if (answer.outcome === 'done') return { step: 'end', end: endOf(answer) };
  if (tried.sent === 0) return { step: 'end', end: endOf(answer), ifAlone: true };
  return again({ detail: `a repeated call was refused: ${answer.reason.detail}` }, counted, patience);
}

function endOf(answer: Answer): End {
  const { outcome, ...said } = settleable(answer);
  return { outcome: outcome === 'done' ? 'executed' : 'failed', ...said };
}

function again(reason: { readonly detail: string }, { turn, sent }: Tried, patience: Patience): Step {
  if (turn < patience.turns) return { step: 'later', wait: { inMs: pause(turn, patience) } };
  if (sent > 0) return unresolved('no-answer', `${left(sent)}, and no answer tells what came of it: ${reason.detail}`);
  const detail = plainText(`nothing could be sent in ${turn} tries: ${reason.detail}`, 1000);
  return uncalled('failed', { code: 'not-sent', detail });
}

/** An instance that crashed in its turn cannot say whether its call left. */
const left = (sent: number): string => (sent === 1 ? 'one call may have been sent' : `up to ${sent} calls were sent`);

const uncalled = (outcome: 'refused' | 'failed', reason: Fault): Step => ({
  step: 'end',
  end: { outcome, reason },
  ifAlone: true,
});

const pause = (turn: number, { backoffMs }: Patience): number => Math.min(30_000, backoffMs * 2 ** (turn - 1));

const untilOf = ({ until }: { readonly until: string | null }, { behindMs }: Patience) =>
  until === null ? { inMs: behindMs } : { until };

const unresolved = (code: string, detail: string): Extract<Step, { step: 'end' }> => ({
  step: 'end',
  end: { outcome: 'unresolved', reason: { code, detail: plainText(detail, 1000) } },
});
