import { kindSpec } from '@countersign/contracts';
import type { Escalation } from './project.js';

type Card = Escalation['card'];

/**
 * The scopes in which a stop changes the effect of an approval: those that the validator checks for an action, or the orchestrator for the
 * tasks of a play.
 */
export function scopesOf(card: Card): string[] {
  const accounts = (...ids: readonly unknown[]): string[] =>
    ids.filter((id) => typeof id === 'string').map((id) => `account:${id}`);
  const broad = ['all', `play:${card.play.id}`];
  if ('tasks' in card) {
    const agents = card.tasks.map(({ agent }) => `agent:${agent}`);
    return [...new Set([...broad, ...accounts(card.accountId, card.tasks[0]?.adAccountId), ...agents])];
  }
  const { agent, action } = card;
  const channel = kindSpec(action.kind)?.channel;
  return [
    ...new Set([
      ...broad,
      `agent:${agent}`,
      ...(channel === undefined ? [] : [`channel:${channel}`]),
      ...accounts(action.accountId, (action.payload as { readonly adAccountId?: unknown }).adAccountId),
    ]),
  ];
}

/**
 * What an approval would lose at this moment under the stops in force that cover the card, in the words of the page; undefined if none
 * does.
 */
export function lossUnder(card: Card, stopped: readonly string[]): string | undefined {
  if (stopped.length === 0) return undefined;
  const after = 'Wait for the resume, or reject it.';
  if (!('tasks' in card)) return `It would be refused now and cannot be approved later. ${after}`;
  return stopped.every((scope) => scope.startsWith('agent:'))
    ? `The tasks would go out, but what a stopped agent proposes for them would be refused. ${after}`
    : `No task would go out now, and it cannot be approved later. ${after}`;
}
