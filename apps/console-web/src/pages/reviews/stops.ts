import type { Control } from '../../parts/controls.js';
import type { Review } from './reviews.queries.js';

type Stopping = Pick<Control, 'scope' | 'state'>;
type Concerned =
  | (Pick<Extract<Review, { subject: 'proposal' }>, 'subject' | 'play'> & {
      readonly facts: { readonly agent: string; readonly kind: string; readonly accountId: string | null };
      readonly action: { readonly payload: Readonly<Record<string, unknown>> };
    })
  | (Pick<Extract<Review, { subject: 'checkpoint' }>, 'subject' | 'play'> & {
      readonly facts: {
        readonly accountId: string | null;
        readonly adAccountId: string | null;
        readonly tasks: readonly { readonly agent: string }[];
      };
    });
type Channels = readonly { readonly kind: string; readonly channel: string }[];

/**
 * The scopes in which a stop changes the effect of an answer: those that the validator checks, or the orchestrator for the tasks of
 * a play.
 */
function scopesOf(card: Concerned, channels: Channels): readonly string[] {
  const broad = ['all', `play:${card.play.id}`];
  const account = card.facts.accountId === null ? [] : [`account:${card.facts.accountId}`];
  if (card.subject === 'checkpoint') {
    const { adAccountId } = card.facts;
    return [
      ...broad,
      ...account,
      ...(adAccountId === null ? [] : [`account:${adAccountId}`]),
      ...card.facts.tasks.map(({ agent }) => agentOf(agent)),
    ];
  }
  const { agent, kind } = card.facts;
  const { adAccountId } = card.action.payload;
  return [
    ...broad,
    ...account,
    ...(typeof adAccountId === 'string' ? [`account:${adAccountId}`] : []),
    agentOf(agent),
    ...channels.filter((known) => known.kind === kind).map(({ channel }) => `channel:${channel}`),
  ];
}

const agentOf = (agent: string): string => `agent:${agent}`;

/** The stops in force that cover what is on a card. */
export function stopsOn<S extends Stopping>(card: Concerned, controls: readonly S[], channels: Channels): readonly S[] {
  const scopes = new Set(scopesOf(card, channels));
  return controls.filter(({ scope, state }) => state === 'stopped' && scopes.has(scope));
}

/** The result of an approval while these stops are in force. */
export const approvalUnder = (card: Pick<Concerned, 'subject'>, stops: readonly Stopping[]): string =>
  card.subject === 'proposal'
    ? 'If you approve it now, changed or not, it is refused and cannot be approved later.'
    : stops.every(({ scope }) => scope.startsWith('agent:'))
      ? 'If you approve it now, the tasks go out, but what a stopped agent proposes for them is refused.'
      : 'If you approve it now, no task goes out, and it cannot be approved later.';
