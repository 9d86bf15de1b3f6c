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
  | { readonly step: 'end'; readonly end: End }
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
  const { code, says } = said.refusal;
  const reason = { code, says };
  if (said.refusal.kind === 'wait') return { kind: 'wait', until: said.refusal.until, reason };
  const { settles } = said.refusal;
  return settles === null ? { kind: 'void', reason } : { kind: 'ends', outcome: settles, reason };
}

/** How often and how patiently a connected system is called for one permit. */
export interface Patience {
  /** Turns for one intent: the first only calls, each later one asks first, the last one only asks. */
  readonly turns: number;
  /** Pause after the first turn without an answer; doubled each time, at most half a minute. */
  readonly backoffMs: number;
  /** Pause while our own state is behind a permit. */
  readonly behindMs: number;
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
  return said.kind === 'void'
    ? { step: 'end', end: { outcome: 'refused', reason: said.reason } }
    : onOpening(said, patience);
}

/**
 * Before the first call, in the turn that starts it. The intent was made in this claim and nobody has called, so that 'refused'
 * is the truth, unless another instance has taken it over meanwhile: `Permits.endUncalled` sees to that.
 */
export function beforeFirstCall(now: Standing, patience: Patience): Step {
  switch (now.kind) {
    case 'ok':
      return { step: 'call' };
    case 'wait':
      return { step: 'later', wait: untilOf(now, patience), unused: 1 };
    case 'ends':
    case 'void':
      return { step: 'end', end: { outcome: 'refused', reason: now.reason } };
  }
}

/**
 * After asking for the key of an intent that may have been called: absence is never a failure, and only what may run now is
 * called again.
 */
export function onFound(found: Found, now: Standing, turn: number, patience: Patience): Step {
  switch (found.outcome) {
    case 'done':
    case 'rejected':
      return { step: 'end', end: endOf(found) };
    case 'unknown':
      return again(found, turn, patience);
    case 'absent':
      break;
  }
  switch (now.kind) {
    case 'ok':
      return turn < patience.turns
        ? { step: 'call' }
        : unresolved('not-confirmed', `called ${turn - 1} times, and the connected system does not know of it`);
    case 'wait':
      // That it cannot be known now whether it may run is no try: it ends with the permit's expiry, at the latest.
      return { step: 'later', wait: { inMs: pause(turn, patience) }, unused: turn };
    case 'ends':
    case 'void':
      return unresolved(
        now.reason.code,
        `it may have been called and must not be called again: ${now.reason.says}; the connected system does not know of it`,
      );
  }
}

/**
 * What becomes of a permit whose job failed for good. Nobody set out to call: what the gate says of it, else 'refused', since its
 * row is taken with that end and nobody can call any more. An intent of ours may have been called: 'unresolved', for a person.
 */
export function onGivenUp(stands: Standing | 'intent', fault: Fault): Extract<Step, { step: 'end' | 'reject' }> {
  const says = `the work on it failed for good (${fault.says})`;
  if (stands === 'intent') return unresolved('job-failed', `it may have been called, and ${says}`);
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
          reason: { code: 'job-failed', says: plainText(`nothing was called: ${says}`, 1000) },
        },
      };
  }
}

/** After a call. An answer ends the permit; silence never does. */
export function onAnswer(answer: Answer | Unknown, turn: number, patience: Patience): Step {
  return answer.outcome === 'unknown' ? again(answer, turn, patience) : { step: 'end', end: endOf(answer) };
}

function endOf(answer: Answer): End {
  const { outcome, ...said } = settleable(answer);
  return { outcome: outcome === 'done' ? 'executed' : 'failed', ...said };
}

function again(why: { readonly says: string }, turn: number, patience: Patience): Step {
  if (turn >= patience.turns) return unresolved('no-answer', `no answer after ${turn} tries: ${why.says}`);
  return { step: 'later', wait: { inMs: pause(turn, patience) } };
}

const pause = (turn: number, { backoffMs }: Patience): number => Math.min(30_000, backoffMs * 2 ** (turn - 1));

const untilOf = ({ until }: { readonly until: string | null }, { behindMs }: Patience) =>
  until === null ? { inMs: behindMs } : { until };

const unresolved = (code: string, says: string): Extract<Step, { step: 'end' }> => ({
  step: 'end',
  end: { outcome: 'unresolved', reason: { code, says: plainText(says, 1000) } },
});
