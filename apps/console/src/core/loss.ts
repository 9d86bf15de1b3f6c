import { kindSpec, scopesCovering } from '@countersign/contracts';
import type { Escalation } from './project.js';

type Card = Escalation['card'];

/**
 * The scopes in which a stop changes the effect of an approval: those that the validator checks for an action, or the orchestrator for the
 * tasks of a play.
 */
export function scopesOf(card: Card): readonly string[] {
  const play = card.play.id;
  if ('tasks' in card)
    return scopesCovering({
      play,
      agents: card.tasks.map(({ agent }) => agent),
      accounts: [card.accountId, card.tasks[0]?.adAccountId],
    });
  const { agent, action } = card;
  const { adAccountId } = action.payload;
  return scopesCovering({
    play,
    agents: [agent],
    channel: kindSpec(action.kind)?.channel,
    accounts: [action.accountId, typeof adAccountId === 'string' ? adAccountId : undefined],
  });
}

/** A stop in force. `name`: the title of the play or the name of the account that it stops, if the console knows one. */
export interface StopInForce {
  readonly scope: string;
  readonly name: string | null;
  readonly by: string;
  readonly reason: string;
  readonly changedAt: string;
}

/** The stops in force that cover a card, and in words what an approval comes to. */
export interface UnderStop<Stop extends Pick<StopInForce, 'scope'> = StopInForce> {
  readonly stops: readonly Stop[];
  /** The result of an approval. */
  readonly approving: string;
  /** What an approval would lose at this moment, and what to do in its place. */
  readonly loss: string;
}

/** The rule of a stop. */
export const stopRule = 'kill-control';
const refusedNow = 'It would be refused now and cannot be approved later.';
const afterResume = 'Wait for the resume, or reject it.';

/** `stops`: those in force among the scopes of the card. Null if there are none. */
export function underStop<Stop extends Pick<StopInForce, 'scope'>>(
  card: Card,
  stops: readonly Stop[],
): UnderStop<Stop> | null {
  if (stops.length === 0) return null;
  if (!('tasks' in card))
    return {
      stops,
      approving: 'If you approve it now, changed or not, it is refused and cannot be approved later.',
      loss: `${refusedNow} ${afterResume}`,
    };
  return stops.every(({ scope }) => scope.startsWith('agent:'))
    ? {
        stops,
        approving: 'If you approve it now, the tasks go out, but what a stopped agent proposes for them is refused.',
        loss: `The tasks would go out, but what a stopped agent proposes for them would be refused. ${afterResume}`,
      }
    : {
        stops,
        approving: 'If you approve it now, no task goes out, and it cannot be approved later.',
        loss: `No task would go out now, and it cannot be approved later. ${afterResume}`,
      };
}

interface Judged {
  readonly outcome: 'approved' | 'refused';
  readonly reasons: readonly { readonly rule: string }[];
  /** Absent if the rules were not asked: the answer would be set aside, and nothing is lost. */
  readonly policy?: object | null | undefined;
}

/** What an approval would lose at this moment by the rules; null if they let it through. */
export function lossByRules({ outcome, reasons, policy }: Judged): string | null {
  if (outcome === 'approved' || !policy) return null;
  return reasons.some(({ rule }) => rule === stopRule)
    ? `${refusedNow} ${afterResume}`
    : `${refusedNow} Wait until the rules let it through, change it, or reject it.`;
}
