import {
  actionKindNames,
  cameToNothing,
  moneyOf,
  Rates,
  Rules,
  Seniority,
  TextRules,
  tiers,
} from '@countersign/contracts';
import { z } from 'zod';

/** `EUR 20.00`, `JPY 2000`, with as many decimals as the currency has. */
const Amount = z.string().refine((text) => moneyOf(text) !== undefined, 'an amount is written like EUR 20.00');
/** One amount, or several in different currencies. */
const Amounts = z.union([Amount, z.array(Amount)]);
const Instant = z.iso.datetime({ precision: 3 });

/** The state before the proposal. What is not given is favourable. */
export const Given = z.strictObject({
  policy: z.enum(['in force', 'none']).optional(),
  tier: z.enum(tiers).optional(),
  /** How many actions of a kind people must have decided before the agent acts alone, and how many they have decided. */
  firstReviewed: z.int().optional(),
  decidedBefore: z.int().optional(),
  /** Settings of `rules.yaml`, by their own names: a new one needs no word of its own here. */
  rules: Rules.partial().optional(),
  /** What the agent's charter says about texts, beside the rules. */
  charterTexts: TextRules.optional(),
  /** Where the contact lives, and the sources of their data. With quiet hours a contact without `timeZone` is in Berlin; `unknown` is unknown. */
  country: z.string().optional(),
  timeZone: z.string().optional(),
  dataFrom: z.array(z.string()).optional(),
  /** The source that gave the address first; `unknown`: nobody recorded it. */
  addressFrom: z.string().optional(),
  allowed: z.array(z.enum(actionKindNames)).optional(),
  /** The task as the orchestrator assigned it, if it differs from the proposal; `unknown`: it assigned none. */
  task: z
    .union([
      z.literal('unknown'),
      z.strictObject({
        agent: z.string().optional(),
        play: z.string().optional(),
        account: z.string().optional(),
        adAccount: z.string().optional(),
        allows: z.array(z.enum(actionKindNames)).optional(),
        campaign: z.string().optional(),
        about: z.enum(['the contact', 'somebody else', 'nobody']).optional(),
        /** What its settings name; `none` is nothing. */
        sequence: z.string().optional(),
        purpose: z.string().optional(),
        template: z.string().optional(),
        url: z.string().optional(),
      }),
    ])
    .optional(),
  taskAllows: z.array(z.enum(actionKindNames)).optional(),
  playAllows: z.array(z.enum(actionKindNames)).optional(),
  prohibited: z.array(z.enum(actionKindNames)).optional(),
  campaignCap: Amount.optional(),
  adAccountCap: Amount.optional(),
  campaignHeld: Amount.optional(),
  campaignSpent: Amount.optional(),
  adAccountHeld: Amount.optional(),
  adAccountSpent: Amounts.optional(),
  /** Caps of the month, and of all that the agent spends. */
  campaignMonthCap: Amount.optional(),
  adAccountMonthCap: Amount.optional(),
  agentCap: Amount.optional(),
  agentMonthCap: Amount.optional(),
  campaignMonthSpent: Amounts.optional(),
  adAccountMonthSpent: Amounts.optional(),
  agentSpent: Amounts.optional(),
  agentMonthSpent: Amounts.optional(),
  /** A person is asked above this total of the ad account. */
  personAboveTotal: Amount.optional(),
  /** The exchange rates of `rates.yaml`, and the currency of the ad account. */
  rates: Rates.optional(),
  adAccountCurrency: z.string().optional(),
  dailyBudget: z.union([Amount, z.literal('unknown')]).optional(),
  bid: z.union([Amount, z.literal('unknown')]).optional(),
  personAbove: Amount.optional(),
  personAbovePercent: z.int().optional(),
  touchesAllowed: z.strictObject({ touches: z.int(), days: z.int() }).optional(),
  touches: z.array(Instant).optional(),
  touchesPlanned: z.array(Instant).optional(),
  /** When a message with this body went to the contact, or will go. */
  sameMessage: z.array(Instant).optional(),
  actionsPerHour: z.int().optional(),
  accountActionsPerHour: z.int().optional(),
  /** When something of the agent was approved; of all accounts, and for this one. */
  approvals: z.array(Instant).optional(),
  approvalsForAccount: z.array(Instant).optional(),
  approvalsForCrmAccount: z.array(Instant).optional(),
  /** How many proposals of the task there were before, how many it may have, and when the broker took this one. */
  proposedBefore: z.int().optional(),
  proposalsPerTask: z.int().optional(),
  taken: Instant.optional(),
  /** How many actions of the agent wait for a person, and how many may. */
  waiting: z.int().optional(),
  reviewsWaiting: z.int().optional(),
  /** For a message that is a step of a sequence: the contact whose enrolment was approved, or none. */
  enrolled: z.enum(['this contact', 'another contact', 'nobody']).optional(),
  /** How that enrolment was settled, where nothing came of it, or that its sequence was stopped, and how many messages for the same step, or how many enrolments like this one, were approved or wait. */
  enrolmentEnded: z.enum([...cameToNothing, 'stopped', 'no']).optional(),
  sameStep: z.int().optional(),
  sendsPerHour: z.int().optional(),
  sends: z.array(Instant).optional(),
  consent: z
    .enum(['sales by email', 'newsletter by email', 'sales by crm', 'withdrawn', 'disputed', 'none'])
    .optional(),
  suppressed: z.enum(['unsubscribed', 'complained', 'hard-bounce', 'erased', 'no']).optional(),
  seniority: Seniority.optional(),
  touchedBefore: z.boolean().optional(),
  /** The account that the contact is known to belong to: the one that the action names; `unknown` is none. */
  contactOf: z.string().optional(),
  /** Who owns the account in the CRM; `unknown` is nobody known. */
  owner: z.string().optional(),
  /** Whether the ad account is known to have the campaigns. */
  campaigns: z.enum(['known', 'unknown']).optional(),
  firstTouchNeedsPerson: z.array(Seniority).optional(),
  creativeNeedsPerson: z.boolean().optional(),
  stopped: z.string().optional(),
  lineage: z.enum(['trusted', 'untrusted', 'not stated']).optional(),
  factsHere: z.enum(['up to date', 'behind']).optional(),
  writtenBy: z.string().optional(),
  bytes: z.int().optional(),
  answer: z
    .strictObject({
      by: z.string(),
      decision: z.enum(['approve', 'reject']),
      about: z.enum(['this action', 'another action']),
    })
    .nullable()
    .optional(),
});
export type Given = z.infer<typeof Given>;

export const When = z.strictObject({
  kind: z.string(),
  amount: Amount.optional(),
  sendAt: Instant.optional(),
  purpose: z.enum(['newsletter', 'sales', 'product', 'service']).optional(),
  /** The account that it names; `none` is none. */
  account: z.string().optional(),
  /** Whether it names the contact, where it need not. */
  contact: z.enum(['named', 'none']).optional(),
  /** Whom a CRM task is for. */
  owner: z.string().optional(),
  /** The step of the sequence `comparison-follow-up` that a message claims to be, from 1; its words are that step's where it does not say. */
  step: z.int().positive().optional(),
  template: z.string().optional(),
  body: z.string().optional(),
  subject: z.string().optional(),
  headline: z.string().optional(),
  url: z.string().optional(),
  title: z.string().optional(),
  note: z.string().optional(),
  /** A member that the contract lacks. */
  extraField: z.string().optional(),
  /** Another contact beside the one of the message. */
  alsoTo: z.string().optional(),
  /** What the agent says about it: never an input. */
  rationale: z.string().optional(),
});

/** A case that a marketer can read. A case that does not end in approval has a twin: the same case without the defect is approved. */
export const Case = z
  .strictObject({
    title: z.string(),
    /** Number in the acceptance list. */
    case: z.int().optional(),
    given: Given.default({}),
    when: When,
    // biome-ignore lint/suspicious/noThenProperty: given, when, then are the words of a case; nobody awaits one
    then: z.strictObject({
      outcome: z.enum(['approved', 'refused', 'escalated']),
      rule: z.string().optional(),
      detail: z.string().optional(),
      /** What the rule marked, and where: `payload.body 4 to 12`. */
      marked: z.string().optional(),
      at: z.string().optional(),
      shadowOutcome: z.enum(['approved', 'refused', 'escalated']).optional(),
    }),
    twin: z.strictObject({ given: Given.optional(), when: When.partial().optional() }).optional(),
  })
  .refine(
    (c) => c.then.outcome === 'approved' || (c.then.rule && c.then.detail),
    'a refusal names its rule and its words',
  )
  .refine((c) => c.then.outcome === 'approved' || c.twin, 'what is not approved has a twin that is');
export type Case = z.infer<typeof Case>;
