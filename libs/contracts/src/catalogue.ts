import { z } from 'zod';
import { recordOf } from './at-most.js';
import { money } from './money.js';
import { placeholdersInWords } from './placeholders.js';
import { type Channel, ConsentPurpose, Currency, ForeignId, Instant, Minor, Name, Text, Uuid } from './primitives.js';
import { contactText } from './recognise.js';

/** Money an action commits, against which daily ledgers it counts. */
export interface Spend {
  readonly adAccountId: string;
  readonly campaignId: string;
  readonly amountMinor: number;
  readonly currency: string;
}

/** A change of a figure of a campaign, for the approval threshold: by `amountMinor`, or to `toMinor`, whatever it is now. */
export type FigureChange = {
  readonly figure: 'daily budget' | 'bid';
  readonly adAccountId: string;
  readonly campaignId: string;
  readonly currency: string;
} & ({ readonly amountMinor: number } | { readonly toMinor: number });

/** What an action says of a sequence; its purpose where it asks for consent, and the message where it is a step, counted from 0. */
export interface NamedSequence {
  readonly id: string;
  readonly purpose?: ConsentPurpose;
  readonly step?: {
    /** The action that began the sequence. */
    readonly enrolment: string;
    readonly n: number;
    readonly template: string;
    readonly subject: string;
    readonly body: string;
  };
}

export type Reversibility<P> =
  | {
      readonly reversible: true;
      /** The kind that takes it back. */
      readonly by: string;
      readonly withinHours: number;
      /** The compensating payload; `before` is the value that the settlement recorded before the effect. */
      readonly compensate: (payload: P, before: unknown) => unknown;
    }
  | { readonly reversible: false; readonly because: string };

/** What the gate must know of a kind without knowing the kind: everything a rule asks is declared here. */
export interface ActionKindSpec<P> {
  readonly payload: z.ZodType<P>;
  /** What the action does, in plain words. `nameOf` names a contact; the id alone where nobody gives it. */
  readonly detail: (payload: P, nameOf?: (contactId: string) => string) => string;
  /** The family of systems that can run it; a route maps it to an executor and its connector. */
  readonly connector: 'ads' | 'mailer' | 'crm';
  readonly channel: Channel;
  /** Contacts whom the action concerns, whether it reaches them or not: it is of the account that their profiles say. */
  readonly contacts: (payload: P) => readonly string[];
  /** Those of them whom it reaches: their consent versions are bound into the permit. */
  readonly recipients: (payload: P) => readonly string[];
  /** Consent it needs from each recipient; none: the recipient learns nothing of it. */
  readonly consent?: (payload: P) => { purpose: ConsentPurpose; channel: Channel };
  /** Whether it counts as a touch of each recipient. */
  readonly touches: boolean;
  readonly spend: (payload: P) => Spend | undefined;
  /** What it changes, and by how much. */
  readonly changes: (payload: P) => readonly FigureChange[];
  readonly creative: boolean;
  readonly adAccountId: (payload: P) => string | undefined;
  /** The campaigns of that ad account that it acts on. */
  readonly campaignIds: (payload: P) => readonly string[];
  /** The sequence that it begins, stops or is a step of. */
  readonly sequence: (payload: P) => NamedSequence | undefined;
  /** What a task's settings may name beside campaign and sequence, under the setting's name: where they do, it is that and no other. */
  readonly named: (payload: P) => Readonly<Partial<Record<'template' | 'creativeId' | 'url', string>>>;
  /** The person in the CRM whom it gives work to. */
  readonly ownerId: (payload: P) => string | undefined;
  /** The time before which it must not run. */
  readonly notBefore: (payload: P) => string | undefined;
  readonly reversibility: Reversibility<P>;
}

const spec = <P>(
  given: Pick<ActionKindSpec<P>, 'payload' | 'detail' | 'connector' | 'channel' | 'reversibility'> &
    Partial<ActionKindSpec<P>>,
): ActionKindSpec<P> => ({
  contacts: () => [],
  recipients: () => [],
  touches: false,
  spend: () => undefined,
  changes: () => [],
  creative: false,
  adAccountId: () => undefined,
  campaignIds: () => [],
  sequence: () => undefined,
  named: () => ({}),
  ownerId: () => undefined,
  notBefore: () => undefined,
  ...given,
});

/** One line, as a header or a title is: no line break, no other control character, no half of a surrogate pair. */
const Line = (max: number) => Text(max).regex(/^[^\p{Cc}\p{Cs}]*$/u, 'one line without control characters');
/** Text of several lines, of characters that every store can hold. */
const Prose = (max: number) =>
  Text(max).regex(/^(?:[^\p{Cc}\p{Cs}]|[\t\n\r])*$/u, 'no control characters but line breaks');

const byId = (contactId: string): string => contactText(contactId);

const campaign = { adAccountId: ForeignId, campaignId: ForeignId };

const ShiftBudget = z.strictObject({
  adAccountId: ForeignId,
  fromCampaignId: ForeignId,
  toCampaignId: ForeignId,
  /** Moved from the one daily budget to the other. */
  amountMinor: Minor.positive(),
  currency: Currency,
});
const SetBid = z.strictObject({ ...campaign, bidMinor: Minor.positive(), currency: Currency });
const PauseCampaign = z.strictObject({ ...campaign });
const ResumeCampaign = z.strictObject({ ...campaign, dailyBudgetMinor: Minor.positive(), currency: Currency });
const PublishCreative = z.strictObject({
  ...campaign,
  creativeId: ForeignId,
  headline: Line(200),
  body: Prose(2000),
  url: z
    .url({ protocol: /^https?$/ })
    .max(1000)
    .regex(/^[\x21-\x7e]+$/, 'printable ASCII without spaces'),
});
const SendEmail = z.strictObject({
  contactId: Uuid,
  purpose: ConsentPurpose,
  template: Name,
  /** Text with placeholders such as `{{contact.firstName}}`, which only an executor fills in. */
  subject: Line(200),
  body: Prose(5000),
  sendAt: Instant,
  /** The step of a sequence that this is, where it is one. */
  sequence: z.strictObject({ id: Name, enrolment: Uuid, step: z.int().nonnegative() }).optional(),
});
const Enroll = z.strictObject({ contactId: Uuid, sequenceId: Name, purpose: ConsentPurpose });
const StopSequence = z.strictObject({ contactId: Uuid, sequenceId: Name });
const CreateTask = z.strictObject({
  contactId: Uuid.optional(),
  ownerId: ForeignId.optional(),
  title: Line(200),
  note: Prose(2000),
  dueAt: Instant,
});

/** Every kind of action there is. A kind that is not here is refused before any rule sees it. */
export const actionKinds = {
  'ads.shift_budget': spec<z.infer<typeof ShiftBudget>>({
    payload: ShiftBudget,
    detail: (p) =>
      `move ${money(p.amountMinor, p.currency)} of daily budget from ${p.fromCampaignId} to ${p.toCampaignId}`,
    connector: 'ads',
    channel: 'advertising',
    adAccountId: (p) => p.adAccountId,
    campaignIds: (p) => [p.fromCampaignId, p.toCampaignId],
    // The total stays the same, yet the shift counts with its full amount: the cut it rests on may not settle.
    spend: (p) => ({
      adAccountId: p.adAccountId,
      campaignId: p.toCampaignId,
      amountMinor: p.amountMinor,
      currency: p.currency,
    }),
    changes: (p) =>
      [p.fromCampaignId, p.toCampaignId].map((campaignId) => ({
        figure: 'daily budget',
        adAccountId: p.adAccountId,
        campaignId,
        amountMinor: p.amountMinor,
        currency: p.currency,
      })),
    reversibility: {
      reversible: true,
      by: 'ads.shift_budget',
      withinHours: 72,
      compensate: (p) => ({ ...p, fromCampaignId: p.toCampaignId, toCampaignId: p.fromCampaignId }),
    },
  }),
  'ads.set_bid': spec<z.infer<typeof SetBid>>({
    payload: SetBid,
    detail: (p) => `set the bid of ${p.campaignId} to ${money(p.bidMinor, p.currency)}`,
    connector: 'ads',
    channel: 'advertising',
    adAccountId: (p) => p.adAccountId,
    campaignIds: (p) => [p.campaignId],
    changes: ({ adAccountId, campaignId, bidMinor: toMinor, currency }) => [
      { figure: 'bid', adAccountId, campaignId, toMinor, currency },
    ],
    reversibility: {
      reversible: true,
      by: 'ads.set_bid',
      withinHours: 72,
      compensate: (p, before) => ({ ...p, bidMinor: (before as { bidMinor: number }).bidMinor }),
    },
  }),
  'ads.pause_campaign': spec<z.infer<typeof PauseCampaign>>({
    payload: PauseCampaign,
    detail: (p) => `pause ${p.campaignId}`,
    connector: 'ads',
    channel: 'advertising',
    adAccountId: (p) => p.adAccountId,
    campaignIds: (p) => [p.campaignId],
    reversibility: {
      reversible: true,
      by: 'ads.resume_campaign',
      withinHours: 168,
      compensate: (p, before) => ({ ...p, ...(before as { dailyBudgetMinor: number; currency: string }) }),
    },
  }),
  'ads.resume_campaign': spec<z.infer<typeof ResumeCampaign>>({
    payload: ResumeCampaign,
    detail: (p) => `resume ${p.campaignId} with ${money(p.dailyBudgetMinor, p.currency)} a day`,
    connector: 'ads',
    channel: 'advertising',
    adAccountId: (p) => p.adAccountId,
    campaignIds: (p) => [p.campaignId],
    spend: (p) => ({
      adAccountId: p.adAccountId,
      campaignId: p.campaignId,
      amountMinor: p.dailyBudgetMinor,
      currency: p.currency,
    }),
    changes: ({ adAccountId, campaignId, dailyBudgetMinor: toMinor, currency }) => [
      { figure: 'daily budget', adAccountId, campaignId, toMinor, currency },
    ],
    reversibility: {
      reversible: true,
      by: 'ads.pause_campaign',
      withinHours: 168,
      compensate: (p) => ({ adAccountId: p.adAccountId, campaignId: p.campaignId }),
    },
  }),
  'ads.publish_creative': spec<z.infer<typeof PublishCreative>>({
    payload: PublishCreative,
    detail: (p) => `publish the advertisement "${p.headline}" in ${p.campaignId}`,
    connector: 'ads',
    channel: 'advertising',
    adAccountId: (p) => p.adAccountId,
    campaignIds: (p) => [p.campaignId],
    creative: true,
    named: ({ creativeId, url }) => ({ creativeId, url }),
    reversibility: { reversible: false, because: 'people may have seen it' },
  }),
  'email.send': spec<z.infer<typeof SendEmail>>({
    payload: SendEmail,
    detail: (p, nameOf = byId) => `send "${placeholdersInWords(p.subject)}" (${p.purpose}) to ${nameOf(p.contactId)}`,
    connector: 'mailer',
    channel: 'email',
    contacts: (p) => [p.contactId],
    recipients: (p) => [p.contactId],
    consent: (p) => ({ purpose: p.purpose, channel: 'email' }),
    touches: true,
    sequence: ({ sequence, purpose, template, subject, body }) =>
      sequence && {
        id: sequence.id,
        purpose,
        step: { enrolment: sequence.enrolment, n: sequence.step, template, subject, body },
      },
    // The text of a step is the sequence's.
    named: ({ sequence, template }) => (sequence ? {} : { template }),
    notBefore: (p) => p.sendAt,
    reversibility: { reversible: false, because: 'a message that was sent cannot be called back' },
  }),
  'sequence.enroll': spec<z.infer<typeof Enroll>>({
    payload: Enroll,
    detail: (p, nameOf = byId) => `enrol ${nameOf(p.contactId)} in ${p.sequenceId}`,
    connector: 'crm',
    channel: 'email',
    contacts: (p) => [p.contactId],
    recipients: (p) => [p.contactId],
    consent: (p) => ({ purpose: p.purpose, channel: 'email' }),
    sequence: (p) => ({ id: p.sequenceId, purpose: p.purpose }),
    reversibility: {
      reversible: true,
      by: 'sequence.stop',
      withinHours: 24 * 90,
      compensate: (p) => ({ contactId: p.contactId, sequenceId: p.sequenceId }),
    },
  }),
  'sequence.stop': spec<z.infer<typeof StopSequence>>({
    payload: StopSequence,
    detail: (p, nameOf = byId) => `stop ${p.sequenceId} for ${nameOf(p.contactId)}`,
    connector: 'crm',
    channel: 'email',
    contacts: (p) => [p.contactId],
    // Stopping asks for nobody's consent: a withdrawal must never keep us from stopping.
    sequence: (p) => ({ id: p.sequenceId }),
    reversibility: { reversible: false, because: 'a contact is enrolled anew by a fresh proposal, never by an undo' },
  }),
  'crm.create_task': spec<z.infer<typeof CreateTask>>({
    payload: CreateTask,
    detail: (p) => `create the CRM task "${p.title}"`,
    connector: 'crm',
    channel: 'crm',
    contacts: (p) => (p.contactId === undefined ? [] : [p.contactId]),
    ownerId: (p) => p.ownerId,
    reversibility: { reversible: false, because: 'a person may have acted on the task' },
  }),
} as const;

export type ActionKindName = keyof typeof actionKinds;
export const actionKindNames = Object.keys(actionKinds) as [ActionKindName, ...ActionKindName[]];
export type PayloadOf<K extends ActionKindName> = (typeof actionKinds)[K] extends ActionKindSpec<infer P> ? P : never;

/** The spec of a kind, with its payload's type given up: for code that treats all kinds alike. */
export const kindSpec = (name: string): ActionKindSpec<unknown> | undefined =>
  Object.hasOwn(actionKinds, name)
    ? (actionKinds[name as ActionKindName] as unknown as ActionKindSpec<unknown>)
    : undefined;

/** What an action does, in its kind's words; undefined where its payload cannot be read. */
export function actionDetail(
  action: { readonly kind: string; readonly payload: unknown },
  nameOf?: (contactId: string) => string,
): string | undefined {
  const spec = kindSpec(action.kind);
  const payload = spec?.payload.safeParse(action.payload);
  return payload?.success ? spec?.detail(payload.data, nameOf) : undefined;
}

/** The envelope of a payload. `actionId` is also the idempotency key of every call that carries it out. */
export const Action = z.strictObject({
  actionId: Uuid,
  kind: z.string().min(1).max(80),
  /** The CRM account it is for. */
  accountId: ForeignId.optional(),
  payload: recordOf(z.string(), z.unknown(), 1000),
});
export type Action = z.infer<typeof Action>;

/** The Kafka key of everything about an action: its ad account, else its CRM account, else itself. */
export function actionKey(action: Action): string {
  const spec = kindSpec(action.kind);
  const parsed = spec?.payload.safeParse(action.payload);
  const adAccountId = parsed?.success ? spec?.adAccountId(parsed.data) : undefined;
  return adAccountId ?? action.accountId ?? action.actionId;
}
