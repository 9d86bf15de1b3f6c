import { z } from 'zod';
import { listOf, partialRecordOf, recordOf } from './at-most.js';
import { digestOf } from './canonical.js';
import { actionKindNames } from './catalogue.js';
import { own } from './own.js';
import { Currency, Day, Minor, Name, Seniority, Text } from './primitives.js';
import { ContactHours } from './quiet-hours.js';
import { signalMembers, signalTypes } from './signals.js';
import { TextRules } from './text-rules.js';

const ActionKind = z.enum(actionKindNames);
/** More than the number of kinds. */
const mostKinds = 100;
/** The people whom charters and checkpoints may name: those who work with one installation. */
export const mostPeople = 5000;

/**
 * The longest time that a person may have to answer, that a permit may live, and that a message may be planned ahead; and the most
 * proposals under a task.
 */
export const longest = {
  reviewMinutes: 7 * 24 * 60,
  permitSeconds: 24 * 3600,
  sendAheadDays: 30,
  proposalsPerTask: 10_000,
  firstReviewed: 10_000,
} as const;

/**
 * How far an agent may go with a kind of action, from the least freedom to the most.
 * - observe: judged and recorded, never run.
 * - suggest: a reviewer of the charter answers each proposal.
 * - approve: the agent prepares, and only a signer of the charter answers.
 * - notify: runs alone inside its limits, and people are notified.
 * - auto: runs alone inside its limits.
 */
export const tiers = ['observe', 'suggest', 'approve', 'notify', 'auto'] as const;
export type Tier = (typeof tiers)[number];

/**
 * What can decide the tier under which an action is judged. If several give the same lowest tier, the first in this list decides.
 * - charter: the tier of the kind in the agent's charter.
 * - first-reviewed: people have not yet decided as many actions of the kind as the charter asks for.
 */
export const tierSources = ['charter', 'first-reviewed'] as const;
export type TierSource = (typeof tierSources)[number];

/** Words of policies that were published before the tiers had these names. A new policy cannot have them; old events keep them. */
export const formerTiers = { shadow: 'observe', supervised: 'suggest', autonomous: 'auto' } as const satisfies Record<
  string,
  Tier
>;

/** A tier as an event may have it. */
export const RecordedTier = z.enum([...tiers, ...(Object.keys(formerTiers) as (keyof typeof formerTiers)[])]);
export type RecordedTier = z.infer<typeof RecordedTier>;

/** The tier that a recorded word means. */
export const tierOf = (word: RecordedTier): Tier =>
  Object.hasOwn(formerTiers, word) ? formerTiers[word as keyof typeof formerTiers] : (word as Tier);

/** What one agent may do. Money is in minor units of `currency`; days and months are those of `timeZone`. */
export const Charter = z.strictObject({
  agent: Name,
  owner: Name,
  reviewers: listOf(Name, mostPeople, 1),
  /** Who alone may answer at the tier approve; absent: the owner. */
  signers: listOf(Name, mostPeople, 1).optional(),
  /** Allowed kinds with the tier of each. A kind that is not listed is refused. */
  kinds: partialRecordOf(ActionKind, RecordedTier, mostKinds),
  /**
   * How many actions of a kind people must have decided before the agent may act alone with that kind; absent: 0. A file without it
   * has `defaultFirstReviewed`.
   */
  firstReviewed: z.int().nonnegative().max(longest.firstReviewed).optional(),
  currency: Currency,
  timeZone: Text(60),
  limits: z.strictObject({
    /** Daily caps, reserved with the permit. */
    campaignSpendPerDayMinor: Minor.nonnegative(),
    adAccountSpendPerDayMinor: Minor.nonnegative(),
    /** Caps of a calendar month, and of everything that this agent spends. Absent: there is no such cap. */
    campaignSpendPerMonthMinor: Minor.nonnegative().optional(),
    adAccountSpendPerMonthMinor: Minor.nonnegative().optional(),
    agentSpendPerDayMinor: Minor.nonnegative().optional(),
    agentSpendPerMonthMinor: Minor.nonnegative().optional(),
    sendsPerHour: z.int().nonnegative(),
    /** Approvals of any kind within an hour, for the agent and one account; absent: `defaultActionsPerHour`. */
    actionsPerHour: z.int().nonnegative().optional(),
    accountActionsPerHour: z.int().nonnegative().optional(),
    /** Proposals under one task, not counting the messages of a sequence that it began; absent: `proposalsPerTask`. */
    proposalsPerTask: z.int().positive().max(longest.proposalsPerTask).optional(),
    /** How many actions of the agent may wait for a person at a time; absent: `defaultReviewsWaiting`. */
    reviewsWaiting: z.int().nonnegative().optional(),
    /** A change of a daily budget or a bid above either of these needs a person. */
    approvalAbovePercent: z.int().nonnegative(),
    approvalAboveMinor: Minor.nonnegative(),
    /**
     * A spend needs a person if with it more than this is held or spent in a day on the ad account, by all agents on all its
     * campaigns. Absent: only single changes are compared.
     */
    approvalAboveAdAccountTotalPerDayMinor: Minor.nonnegative().optional(),
  }),
  /** How long a person has to answer an escalation. */
  reviewWithinMinutes: z.int().positive().max(longest.reviewMinutes),
  /** What the texts of this agent may say, beside what the rules for all agents ask. Both apply, so a charter can only narrow. */
  texts: TextRules.optional(),
});
export type Charter = z.infer<typeof Charter>;

/** Who alone may answer at the tier approve. Names. */
export const signersOf = ({ owner, signers }: Pick<Charter, 'owner' | 'signers'>): readonly string[] =>
  signers ?? [owner];

/** Who may answer when a person is asked about an action of this kind: at the tier approve the signers, otherwise the reviewers. Names. */
export const answerersOf = (
  charter: Pick<Charter, 'kinds' | 'owner' | 'reviewers' | 'signers'>,
  kind: string,
): readonly string[] => {
  const word = own(charter.kinds, kind);
  return word !== undefined && tierOf(word) === 'approve' ? signersOf(charter) : charter.reviewers;
};

/** How many actions of a kind people decide first, if the file of a charter does not say. */
export const defaultFirstReviewed = 50;

/** A charter as a file has it: with the tiers of today, and with what is not said written out. */
export const CharterFile = Charter.extend({
  kinds: partialRecordOf(
    ActionKind,
    z.enum(tiers, {
      error: ({ input }) =>
        typeof input === 'string' && Object.hasOwn(formerTiers, input)
          ? `the tier "${input}" is called "${tierOf(input as RecordedTier)}" now`
          : undefined,
    }),
    mostKinds,
  ),
  firstReviewed: z.int().nonnegative().max(longest.firstReviewed).default(defaultFirstReviewed),
});

/** How many actions an agent may have approved within an hour, in all and for one account, if its charter does not say. */
export const defaultActionsPerHour = { agent: 500, account: 100 } as const;

/** How many actions of an agent may wait for a person, if its charter does not say: a day's work of a team of reviewers. */
export const defaultReviewsWaiting = 100;

/** How many proposals a task with this many contacts may have: one for each contact, and some about what they have in common. */
export const proposalsPerTask = (contacts: number): number => contacts + 5;

/** How long after its due time a task still accepts what its agent answered in time, because a broker may have been away. */
export const taskGraceMs = 24 * 3_600_000;

/** The decimals that a rate may have. */
const rateDecimals = 9;
/** How much of a currency one unit of the base currency is. */
const Rate = z
  .number()
  .min(0.000_001)
  .max(1e9)
  .refine((rate) => Number(rate.toFixed(rateDecimals)) === rate, `at most ${rateDecimals} decimals`);

/**
 * Exchange rates of one day. They are only used to compare an amount with a limit in another currency. Nothing is ever paid by them,
 * and no amount is changed into another currency.
 */
export const Rates = z.strictObject({
  /** The day of the rates, in UTC. */
  day: Day,
  /** Rates that are older than this are not used: the comparison is then a refusal. */
  maxAgeDays: z.int().positive().max(366),
  base: Currency,
  /** One unit of `base` in each currency: `USD: 1.0832`. */
  perBase: recordOf(Currency, Rate, 300),
});
export type Rates = z.infer<typeof Rates>;

/** Guardrails for all agents. */
export const Rules = z.strictObject({
  /** How long a permit may be opened after its not-before, in seconds. */
  permitSeconds: z.int().positive().max(longest.permitSeconds),
  contactFrequency: z.strictObject({ touches: z.int().positive(), days: z.int().positive().max(90) }),
  /** Seniorities whose first touch needs a person. */
  firstTouchNeedsPerson: listOf(Seniority, 100),
  /** Kinds that no agent may run, whatever other rules say. */
  prohibitedKinds: listOf(ActionKind, mostKinds),
  /** Whether a new creative needs a person. */
  creativeNeedsPerson: z.boolean(),
  /** A proposal larger than this is refused, in bytes of its RFC 8785 form. */
  maxProposalBytes: z.int().positive(),
  /** Nobody gets the same body again within so many days, whichever proposal it belongs to. */
  sameMessageDays: z.int().min(1).max(365).optional(),
  ...TextRules.shape,
  ...ContactHours.shape,
});
export type Rules = z.infer<typeof Rules>;

/** Which executor and connector runs a kind. The first route that matches applies. Without a route there is no permit. */
export const Route = z.strictObject({
  kinds: listOf(ActionKind, mostKinds, 1),
  /** Only for these CRM accounts. Absent: all. */
  accounts: listOf(z.string().max(200), 20_000, 1).optional(),
  executor: Name,
  connector: Name,
});
export type Route = z.infer<typeof Route>;

/** No fact is a text longer than this. */
const word = z.string().max(10_000);
const Comparable = z.union([word, z.number(), z.boolean(), listOf(z.union([word, z.number()]), 1000)]);
/** The conditions on facts. A signal or a profile has about a dozen facts. */
const Asked = recordOf(z.string().max(100), Comparable, 100);

/** What starts a play. Windows are measured in the signals' own time. */
export const Trigger = z.discriminatedUnion('pattern', [
  z.strictObject({
    pattern: z.literal('distinct-contacts'),
    signal: z.enum(signalTypes as [string, ...string[]]),
    /** Equality on the signal's facts; a list means any of. */
    where: Asked,
    /** Equality on the account's profile. */
    account: Asked,
    contacts: z.int().positive().max(1000),
    withinDays: z.int().positive().max(90),
  }),
  z.strictObject({
    pattern: z.literal('return-below-floor'),
    signal: z.literal('CampaignPerformanceReported'),
    /** Revenue per spend in percent. A campaign's own floor overrides this one. */
    floorPercent: z.int().positive(),
    withinDays: z.int().positive().max(35),
    minimumSpendMinor: Minor.nonnegative(),
  }),
]);
export type Trigger = z.infer<typeof Trigger>;

export const Play = z.strictObject({
  id: Name,
  title: Text(120),
  /** Signals that are older than this on arrival, by their own time, trigger nothing. */
  freshWithinDays: z.int().positive().max(90),
  trigger: Trigger,
  coolDownDays: z.int().nonnegative().max(365),
  /** A person who must agree before the tasks are assigned. */
  checkpoint: z.strictObject({ reviewers: listOf(Name, mostPeople, 1), withinMinutes: z.int().positive() }).optional(),
  tasks: listOf(
    z.strictObject({
      agent: Name,
      purpose: Text(200),
      /** What the task may use. The charter can only narrow it further. */
      kinds: listOf(ActionKind, mostKinds, 1),
      dueInMinutes: z
        .int()
        .positive()
        .max(7 * 24 * 60),
      /** Settings for the planner, e.g. a sequence or the bid step. */
      settings: recordOf(z.string().max(100), z.union([word, z.number(), z.boolean()]), 100).optional(),
    }),
    100,
    1,
  ),
});
export type Play = z.infer<typeof Play>;

/** A sequence of messages; each step becomes its own proposed `email.send`. Texts hold placeholders, never names. */
export const Sequence = z.strictObject({
  id: Name,
  purpose: z.enum(['newsletter', 'sales', 'product', 'service']),
  steps: listOf(
    z.strictObject({ template: Name, subject: Text(200), body: Text(5000), afterSeconds: z.int().nonnegative() }),
    20,
    1,
  ),
});
export type Sequence = z.infer<typeof Sequence>;

export const Routes = listOf(Route, 2000);

/** One event contains all of it, and far fewer than these fit. */
export const PolicyContent = z.strictObject({
  charters: listOf(Charter, 2000),
  plays: listOf(Play, 2000),
  sequences: listOf(Sequence, 2000),
  rules: Rules,
  routes: Routes,
  /** Absent: amounts of different currencies are never compared. */
  rates: Rates.optional(),
});
export type PolicyContent = z.infer<typeof PolicyContent>;

/** A part of the policy that has a digest of its own. */
export type PolicyPart =
  | 'rules'
  | `rules.${keyof Rules}`
  | 'routes'
  | 'rates'
  | `charter:${string}`
  | `play:${string}`
  | `sequence:${string}`;

/** Digest of the whole and of each part. */
export function policyDigests(content: PolicyContent): { digest: string; parts: Record<string, string> } {
  const parts: Record<string, string> = { rules: digestOf(content.rules), routes: digestOf(content.routes) };
  for (const charter of content.charters) parts[`charter:${charter.agent}`] = digestOf(charter);
  for (const play of content.plays) parts[`play:${play.id}`] = digestOf(play);
  for (const sequence of content.sequences) parts[`sequence:${sequence.id}`] = digestOf(sequence);
  if (content.rates !== undefined) parts.rates = digestOf(content.rates);
  for (const [name, value] of Object.entries(content.rules)) parts[`rules.${name}`] = digestOf(value);
  return { digest: digestOf(content), parts };
}

const absentPart = digestOf(null);

/**
 * The digest of one part. A part that the policy does not have counts as the JSON value `null`. So if the part is added, a permit
 * that was signed without it is no longer valid.
 */
export const partDigest = (parts: Readonly<Record<string, string>>, name: string): string =>
  own(parts, name) ?? absentPart;

const members = (names: readonly string[]) =>
  listOf(z.enum(names), 100, 1).refine((given) => new Set(given).size === given.length, 'names a member twice');
/** What a source sends, by type of signal. A signal is complete if it has all of it. */
const sends = z.strictObject(
  Object.fromEntries(signalTypes.map((type) => [type, members(signalMembers(type)).optional()])),
);

/** A source of signals, as `deploy/config/sources.yaml` lists it. Sources are set up with the topics, and are not published. */
export const SourceConfig = z.strictObject({
  name: Name,
  via: z.enum(['http', 'kafka']),
  /** The CloudEvents `source` of its events: they have exactly this one, or it followed by `/` and more. */
  source: z.string().min(1).max(200),
  title: Text(120),
  sends: sends.optional(),
  /**
   * This source decides who is one person: a contact that it upserts by reference and address is one person, even if the two were
   * known as two.
   */
  identifies: z.boolean().optional(),
});
export type SourceConfig = z.infer<typeof SourceConfig>;
