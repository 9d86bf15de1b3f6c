import { Blockquote, List, Spoiler, Text, Timeline } from '@mantine/core';
import { capital } from '../../parts/capital.js';
import { scopesOf, withNames } from '../../parts/named.js';
import { PageLink, storyPath } from '../../parts/page-link.js';
import { plainReason } from '../../parts/reason.js';
import type { CampaignKnown } from '../../parts/sentence.js';
import { useNow } from '../../parts/use-now.js';
import { When } from '../../parts/when.js';
import type { Review } from './reviews.queries.js';

/** Why a person is asked: the rules that escalated. The other rules are folded away. */
export function Why({ card }: { readonly card: Review }) {
  const now = useNow(60_000);
  if (card.subject === 'checkpoint')
    return <Text>This play asks a person each time, before its tasks go to the agents.</Text>;
  const { length } = card.otherRules;
  return (
    <>
      <List>
        {card.facts.whyAsked.map(({ rule, detail }) => (
          <List.Item key={rule + detail}>
            {capital(withoutIds(detail, card.facts, now))}{' '}
            <Text component="span" size="sm" c="dimmed">
              (rule {rule})
            </Text>
          </List.Item>
        ))}
      </List>
      {card.facts.tier && (
        <Text size="sm" c="dimmed">
          Tier: {card.facts.tier.detail}.
        </Text>
      )}
      {length > 0 && (
        <details>
          <summary>{length === 1 ? 'One other rule passed' : `${length} other rules passed`}</summary>
          <List size="sm">
            {card.otherRules.map(({ rule, detail }) => (
              <List.Item key={rule}>
                {capital(withoutIds(detail, card.facts, now))}{' '}
                <Text component="span" size="sm" c="dimmed">
                  ({rule})
                </Text>
              </List.Item>
            ))}
          </List>
        </details>
      )}
    </>
  );
}

/**
 * A sentence of the gate. The people in it are described as on the card, without their ids, campaigns have their names, and times are in
 * the reader's time zone.
 */
export function withoutIds(detail: string, subjects: Subjects, now: number): string {
  const { people, campaigns, play, account, accountId } = subjects;
  const known = accountId && account && account !== accountId;
  const named = { ...(play && { play }), ...(known && { account: { id: accountId, name: account } }) };
  return plainReason(
    withNames(detail, { campaigns, ...named }),
    new Map(people.map(({ contactId }) => [contactId, 'this person'])),
    now,
    scopesOf(named),
  );
}
/** What the sentences of the gate and of the orchestrator about a card name by ids. */
export interface Subjects {
  readonly people: readonly { readonly contactId: string }[];
  readonly campaigns: readonly CampaignKnown[];
  /** The name of its account, or the id if no name is known. */
  readonly account?: string | null;
  readonly accountId?: string | null;
  readonly play?: { readonly id: string; readonly title: string };
}

export function Evidence({ card }: { readonly card: Review }) {
  const evidence = card.facts.evidence.toSorted((a, b) => a.occurredAt.localeCompare(b.occurredAt));
  if (evidence.length === 0) return <Text>No signal is named as evidence.</Text>;
  return (
    <Timeline active={evidence.length} bulletSize={12} lineWidth={2}>
      {evidence.map(({ detail, occurredAt, source, signalId }) => (
        <Timeline.Item key={`${source} ${signalId}`} title={capital(detail)}>
          <Text size="sm" c="dimmed">
            <When at={occurredAt} />, from {source.replace(/^\/sources\//, '')}.{' '}
            <PageLink to={storyPath(signalId)} aria-label={`The story of this signal: ${detail}`}>
              The story of this signal
            </PageLink>
          </Text>
        </Timeline.Item>
      ))}
    </Timeline>
  );
}

/** More alternatives than these are folded. */
const mostOpen = 2;

/** The agent's own words: quoted and marked as unchecked, with its stated confidence and the alternatives that it rejected. */
export function AgentWords({ card }: { readonly card: Review }) {
  if (card.subject === 'checkpoint') return null;
  const { quote, confidence, alternatives } = card.agentSays;
  return (
    <Blockquote
      p="md"
      color="gray"
      cite={`${card.facts.agent}, in its own words. Nobody has checked them. It says it is ${Math.round(confidence * 100)} % sure.`}
    >
      <Spoiler maxHeight={120} showLabel="All of it" hideLabel="Less">
        <Text className="written">{quote}</Text>
      </Spoiler>
      {alternatives.length > 0 && (
        <details open={alternatives.length <= mostOpen}>
          <summary>
            {alternatives.length === 1
              ? 'One other way that it considered and left'
              : `${alternatives.length} other ways that it considered and left`}
          </summary>
          <List size="sm">
            {alternatives.map(({ detail, rejectedBecause }, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: an escalation's alternatives never change, and two may be alike
              <List.Item key={place} className="written">
                “{detail}”, left because “{rejectedBecause}”
              </List.Item>
            ))}
          </List>
        </details>
      )}
    </Blockquote>
  );
}
