import { z } from 'zod';
import { recordOf } from './at-most.js';
import { money } from './money.js';
import { placeholdersInWords } from './placeholders.js';
import { type Channel, ConsentPurpose, Currency, ForeignId, Instant, Minor, Name, Text, Uuid } from './primitives.js';
import { contactText } from './recognise.js';

/** A text that an action puts before people, or the target of a link, and where the payload has it. */
export interface PlacedText {
  /** `payload.body`. */
  readonly place: string;
  readonly text: string;
  readonly role: 'text' | 'link';
}

/** The money that an action commits, and the daily ledgers in which it counts. */
export interface Spend {
  readonly adAccountId: string;
  readonly campaignId: string;
  readonly amountMinor: number;
  readonly currency: string;
}

/** A change of a figure of a campaign, for the approval threshold: by `amountMinor`, or to `toMinor` from whatever it is now. */
export type FigureChange = {
  readonly figure: 'daily budget' | 'bid';
  readonly adAccountId: string;
  readonly campaignId: string;
  readonly currency: string;
} & ({ readonly amountMinor: number } | { readonly toMinor: number });

/** What an action says about a sequence: its purpose if the action asks for consent, and the message if it is a step, counted from 0. */
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
      /** The kind of action that undoes it. */
      readonly by: string;
      readonly withinHours: number;
      /** The compensating payload; `before` is the value that the settlement recorded before the effect. */
      readonly compensate: (payload: P, before: unknown) => unknown;
    }
  | { readonly reversible: false; readonly because: string };

/** What the gate must know about a kind. The gate does not know the kinds themselves: everything that a rule asks is declared here. */
export interface ActionKindSpec<P> {
  readonly payload: z.ZodType<P>;
  /** What the action does, in plain words. `nameOf` gives the name of a contact; if it gives none, the text has only the id. */
  readonly detail: (payload: P, nameOf?: (contactId: string) => string) => string;
  /** The family of systems that can run it; a route maps it to an executor and its connector. */
  readonly connector: 'ads' | 'mailer' | 'crm';
  readonly channel: Channel;
  /** Contacts whom the action concerns, even if it does not reach them. The action belongs to the account in their profiles. */
  readonly contacts: (payload: P) => readonly string[];
  /** The contacts whom it reaches. Their consent versions are bound into the permit. */
  readonly recipients: (payload: P) => readonly string[];
  /** The consent that it needs from each recipient. None: the recipient does not notice it. */
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
  /** The sequence that it begins or stops, or of which it is a step. */
  readonly sequence: (payload: P) => NamedSequence | undefined;
  /**
   * What a task's settings may name in addition to campaign and sequence, under the setting's name. If they name it, no other is
   * allowed.
   */
  readonly named: (payload: P) => Readonly<Partial<Record<'template' | 'creativeId' | 'url', string>>>;
  /** The person in the CRM who gets the work. */
  readonly ownerId: (payload: P) => string | undefined;
  /** The time before which it must not run. */
  readonly notBefore: (payload: P) => string | undefined;
  /** Every text that people will read, and every target of a link, in the order in which people read them. */
  readonly texts: (payload: P) => readonly PlacedText[];
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
  texts: () => [],
  ...given,
});

/** One line, like a header or a title: no line break, no other control character, no half of a surrogate pair. */
const Line = (max: number) => Text(max).regex(/^[^\p{Cc}\p{Cs}]*$/u, 'one line without control characters');
/** Text of several lines, with characters that every store can hold. */
const Prose = (max: number) =>
  Text(max).regex(/^(?:[^\p{Cc}\p{Cs}]|[\t\n\r])*$/u, 'no control characters but line breaks');

const placed = (name: string, text: string, role: PlacedText['role'] = 'text'): PlacedText => ({
  place: `payload.${name}`,
  text,
  role,
});

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
  /** The step of a sequence, if this message is one. */
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

/** Every kind of action. A kind that is not listed is refused before any rule sees it. */
export const actionKinds = {
  'ads.shift_budget': spec<z.infer<typeof ShiftBudget>>({
    payload: ShiftBudget,
    detail: (p) =>
      `move ${money(p.amountMinor, p.currency)} of daily budget from ${p.fromCampaignId} to ${p.toCampaignId}`,
    connector: 'ads',
    channel: 'advertising',
    adAccountId: (p) => p.adAccountId,
    campaignIds: (p) => [p.fromCampaignId, p.toCampaignId],
    // The total stays the same. The shift still counts with its full amount, because the cut that it depends on may not settle.
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
    texts: ({ headline, body, url }) => [
      placed('headline', headline),
      placed('body', body),
      placed('url', url, 'link'),
    ],
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
    // The text of a step is that of the sequence.
    named: ({ sequence, template }) => (sequence ? {} : { template }),
    notBefore: (p) => p.sendAt,
    texts: ({ subject, body }) => [placed('subject', subject), placed('body', body)],
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
    // Stopping needs nobody's consent: a withdrawal must never prevent us from stopping.
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
    texts: ({ title, note }) => [placed('title', title), placed('note', note)],
    reversibility: { reversible: false, because: 'a person may have acted on the task' },
  }),
} as const;

export type ActionKindName = keyof typeof actionKinds;
export const actionKindNames = Object.keys(actionKinds) as [ActionKindName, ...ActionKindName[]];
export type PayloadOf<K extends ActionKindName> = (typeof actionKinds)[K] extends ActionKindSpec<infer P> ? P : never;

/** The spec of a kind, without the type of its payload: for code that treats all kinds alike. */
export const kindSpec = (name: string): ActionKindSpec<unknown> | undefined =>
  Object.hasOwn(actionKinds, name)
    ? (actionKinds[name as ActionKindName] as unknown as ActionKindSpec<unknown>)
    : undefined;

/**
 * Every text that an action puts before people, and every target of a link, each with its place in the payload. Empty if the
 * payload cannot be read.
 */
export function textsOf(action: { readonly kind: string; readonly payload: unknown }): readonly PlacedText[] {
  const spec = kindSpec(action.kind);
  const payload = spec?.payload.safeParse(action.payload);
  return payload?.success && spec ? spec.texts(payload.data) : [];
}

/** What an action does, in its kind's words; undefined if its payload cannot be read. */
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

/** The Kafka key of everything about an action: its ad account, otherwise its CRM account, otherwise its own id. */
export function actionKey(action: Action): string {
  const spec = kindSpec(action.kind);
  const parsed = spec?.payload.safeParse(action.payload);
  const adAccountId = parsed?.success ? spec?.adAccountId(parsed.data) : undefined;
  return adAccountId ?? action.accountId ?? action.actionId;
}
