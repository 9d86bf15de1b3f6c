import { type DataOf, money } from '@countersign/contracts';
import type { Seen } from '../seen.js';
import { dayMinutes, engaged, type Signal, type SignalMaker, signalMaker } from '../signals.js';
import type { Setting, Story } from '../story.js';
import { type Account, type Contact, cast, type World } from '../world.js';

type Proposal = DataOf<'ActionProposed'>;

export const comparison = 'tier-1-comparison-surge';
const pricing = 'tier-1-pricing-surge';

export const accountNamed = (world: World, id: string): Account => {
  const found = world.accounts.find((a) => a.id === id);
  if (!found) throw new RangeError(`the sample has no account ${id}`);
  return found;
};

export const contactAt = (account: Account, n: number): Contact => {
  const found = account.contacts[n];
  if (!found) throw new RangeError(`${account.id} has no contact ${n}`);
  return found;
};

/** These contacts engage with a topic, one after the other within eight days. */
const surge = (
  t: SignalMaker,
  account: Account,
  numbers: readonly number[],
  topic: string,
): readonly Signal<'ContentEngaged'>[] =>
  numbers.map((n, i) => engaged(t, contactAt(account, n), topic, (numbers.length - 1 - i) * 2 * dayMinutes + 20 + i));

/** The messages that a play led to, for the contact of a signal or for all. */
function messages(seen: Seen, play: string, accountId: string, signal?: Signal): readonly Proposal[] {
  const contactId = signal && seen.accepted(signal)?.contactId;
  if (signal && contactId === undefined) return [];
  return seen
    .tasks({ play, accountId })
    .flatMap(({ taskId }) =>
      seen.proposals({ taskId, kind: 'email.send', ...(contactId !== undefined && { contactId }) }),
    );
}

const executed = (seen: Seen, { proposalId }: Proposal): boolean => seen.settled(proposalId)?.outcome === 'executed';

export const refusal = (seen: Seen, proposalId: string, rule?: string): string | undefined =>
  seen
    .refused(proposalId)
    ?.verdict.reasons.find((r) => r.outcome === 'refuse' && (rule === undefined || r.rule.startsWith(rule)))?.detail;

/** Proposals of the tasks that a play gave to an agent for an account. */
export const adChanges = (seen: Seen, accountId: string): readonly Proposal[] =>
  seen
    .tasks({ play: comparison, accountId })
    .filter((task) => task.agent === 'paid-media-agent')
    .flatMap(({ taskId }) => seen.proposals({ taskId }));

export function surgeStory({ seed, start }: Setting, world: World): Story {
  const account = accountNamed(world, cast.surge);
  const signals = surge(signalMaker(seed, 'surge', start), account, [0, 1, 2], 'comparison');
  const sent = (seen: Seen) => messages(seen, comparison, account.id).filter((p) => executed(seen, p));
  const bid = (seen: Seen) => adChanges(seen, account.id).find((p) => executed(seen, p));
  return {
    id: 'surge',
    title: 'A tier-1 account compares us with others',
    steps: [{ do: 'publish', source: 'website', signals }],
    outcome: (seen) => sent(seen).length === 3 && bid(seen) !== undefined,
    summary: (seen) => {
      if (sent(seen).length === 0) return `three people of ${account.name} compared us; nothing was sent yet`;
      const change = bid(seen)?.action.payload;
      const after = change ? `, and the bid of ${change.campaignId} went to ${euro(Number(change.bidMinor))}` : '';
      return `three people of ${account.name} compared us within 8 days: ${sent(seen).length} e-mails went out${after}`;
    },
  };
}

export function unsubscribeStory({ seed, start }: Setting, world: World): Story {
  const account = accountNamed(world, cast.unsubscriber);
  const t = signalMaker(seed, 'unsubscribe', start);
  const signals = surge(t, account, [0, 1, 2], 'comparison');
  const [first] = signals;
  const { ref } = contactAt(account, 0);
  const gone = t.signal('mailer', 'EmailUnsubscribed', 0, { contact: { ref }, messageId: `news-${ref}` });
  const message = (seen: Seen) => messages(seen, comparison, account.id, first)[0];
  return {
    id: 'unsubscribe',
    title: 'A contact unsubscribes after the approval and before the sending',
    steps: [
      { do: 'publish', source: 'website', signals },
      {
        do: 'wait',
        for: 'the approval of a message to be sent some seconds later',
        until: (seen) => {
          const proposal = message(seen);
          return proposal !== undefined && seen.approved(proposal.proposalId) !== undefined;
        },
      },
      { do: 'publish', source: 'mailer', signals: [gone] },
    ],
    outcome: (seen) => {
      const proposal = message(seen);
      return proposal !== undefined && seen.settled(proposal.proposalId)?.outcome === 'refused';
    },
    summary: (seen) => {
      const settled = seen.settled(message(seen)?.proposalId ?? '');
      if (!settled) return `a message to somebody at ${account.name} was not settled yet`;
      if (settled.outcome !== 'refused') return `a message to somebody at ${account.name} ended as ${settled.outcome}`;
      return `the message was approved, its reader at ${account.name} unsubscribed, and nothing was sent: ${settled.reason?.detail ?? 'refused at execution'}`;
    },
  };
}

export function firstTouchStory({ seed, start }: Setting, world: World): Story {
  const account = accountNamed(world, cast.cfo);
  const signals = surge(signalMaker(seed, 'first-touch', start), account, [0, 1, 3], 'comparison');
  const message = (seen: Seen) => messages(seen, comparison, account.id, signals[2])[0];
  const card = (seen: Seen) => seen.escalated(message(seen)?.proposalId ?? '');
  return {
    id: 'first-touch',
    title: 'The first message to a CFO waits for a person',
    steps: [{ do: 'publish', source: 'website', signals }],
    outcome: (seen) =>
      card(seen)?.verdict.reasons.some((r) => r.rule === 'first-touch' && r.outcome === 'escalate') ?? false,
    summary: (seen) => {
      const escalated = card(seen);
      if (!escalated) return `no message to the CFO of ${account.name} was escalated`;
      const review = seen.reviewed(escalated.proposalId);
      const now = review
        ? `${review.by} answered: ${review.decision}`
        : `it waits for ${escalated.reviewers.join(' or ')}`;
      return `nobody has written to the CFO of ${account.name} before, so the message needs a person; ${now}`;
    },
  };
}

export function frequencyStory({ seed, start }: Setting, world: World): Story {
  const account = accountNamed(world, cast.frequent);
  const t = signalMaker(seed, 'frequency', start);
  const comparing = surge(t, account, [0, 1, 2], 'comparison');
  const pricingSignals = surge(t, account, [3, 1, 0], 'pricing');
  const [same] = comparing;
  const second = (seen: Seen) => messages(seen, pricing, account.id, same)[0];
  const reason = (seen: Seen) => refusal(seen, second(seen)?.proposalId ?? '', 'contact-frequency');
  return {
    id: 'frequency',
    title: 'A contact at the frequency cap is not written to again',
    steps: [
      { do: 'publish', source: 'website', signals: comparing },
      {
        do: 'wait',
        for: 'the approval of the first messages',
        until: (seen) =>
          messages(seen, comparison, account.id).filter((p) => seen.approved(p.proposalId) !== undefined).length === 3,
      },
      { do: 'publish', source: 'website', signals: pricingSignals },
    ],
    outcome: (seen) => reason(seen) !== undefined,
    summary: (seen) => {
      const detail = reason(seen);
      return detail === undefined
        ? `a second message to somebody at ${account.name} was not refused`
        : `somebody at ${account.name} compared us and studied prices: one message goes out, the second is refused (${detail})`;
    },
  };
}

export const euro = (minor: number): string => money(minor, 'EUR');
