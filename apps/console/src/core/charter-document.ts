import { actionKindNames, own, type PolicyContent, signersOf, tierOf } from '@countersign/contracts';
import type { stopsFor } from './agents.js';
import { charterWords } from './charter-words.js';
import type { Document } from './document.js';
import { kindWords, list, tierWords } from './kind-words.js';

/** The policy that a document was made from. */
export interface PolicyNamed {
  readonly version: number;
  readonly digest: string;
  readonly by: string;
  readonly publishedAt: string;
  readonly content: PolicyContent;
}

export interface CharterAsked {
  readonly agent: string;
  /** The policy in force; undefined if none was published. */
  readonly policy: PolicyNamed | undefined;
  readonly stops: ReturnType<typeof stopsFor>;
  readonly at: string;
  /** Where the page of the agent is. */
  readonly address: string;
}

const refused = 'Not at all: such a proposal is refused';

/** What an agent can and cannot do, for a reader who knows nothing of this project. It names the policy that it was made from. */
export function charterDocument({ agent, policy, stops, at, address }: CharterAsked): Document {
  const charter = policy?.content.charters.find((found) => found.agent === agent);
  const prohibited = policy?.content.rules.prohibitedKinds ?? [];
  const mayAct = (kind: (typeof actionKindNames)[number]): string => {
    const word = charter && own(charter.kinds, kind);
    if (word === undefined) return refused;
    return prohibited.includes(kind)
      ? 'Not at all: a rule for every agent prohibits it'
      : (own(tierWords, tierOf(word)) ?? refused);
  };
  const asksSigners = charter && Object.values(charter.kinds).includes('approve');
  return {
    title: `What ${agent} can and cannot do`,
    lead: [
      `${agent} is a program that proposes actions. None of them runs until the gate of Countersign has judged it by the policy named here.`,
      `This is the policy that was in force when this page was made. A copy does not change when the policy does. To get the page of today, use: countersign charter show ${agent}. Or download it at ${address}. If both name the same digest, this copy is still true.`,
    ],
    facts: [
      ['Agent', agent],
      ['Answers for it', charter?.owner ?? 'nobody, because it has no charter'],
      ...(charter ? [['Answer when a person is asked', list(charter.reviewers, 'or')] as const] : []),
      ...(charter && asksSigners ? [['Sign what it only prepares', list(signersOf(charter), 'or')] as const] : []),
      ['At the moment', standing(stops)],
      [
        'Policy',
        policy ? `${policy.version}, published by ${policy.by} at ${policy.publishedAt}` : 'none was published',
      ],
      ...(policy ? [['Digest of the policy', policy.digest] as const] : []),
      ['Made at', at],
    ],
    table: {
      title: 'Each kind of action',
      head: ['Action', 'Name', 'May it?'],
      rows: actionKindNames.map((kind) => [capital(kindWords(kind)), kind, mayAct(kind)]),
    },
    sections:
      policy && charter
        ? charterWords(charter, policy.content)
        : [
            {
              title: 'What it may do',
              lines: ['Nothing: no charter is in force for it, so all that it proposes is refused.'],
            },
          ],
  };
}

const standing = (stops: CharterAsked['stops']): string =>
  stops.length === 0
    ? 'not stopped itself; a stop of a channel, a play or an account is not shown here'
    : stops
        .map(
          ({ scope, by, reason, changedAt }) =>
            `stopped by ${by} since ${changedAt} (${scope === 'all' ? 'everything' : scope}): ${reason}`,
        )
        .join('; ');

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
