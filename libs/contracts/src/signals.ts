import { z } from 'zod';
import { readAddress } from './address.js';
import { listOf } from './at-most.js';
import { AnyInstant, Channel, ConsentPurpose, Currency, Day, ForeignId, Minor, Seniority, Text } from './primitives.js';

/** An account (an organisation) as the upstream's CRM names it. Not an ad account. */
const account = z.strictObject({ id: ForeignId });
/** The value of `contact.ref` or `contact.email` after parsing, if one was given that cannot be read. */
export const unreadableIdentity = '';
const { $schema: _, ...refSchema } = z.toJSONSchema(ForeignId);
const ref = z.preprocess(
  (given) => (ForeignId.safeParse(given).success ? given : unreadableIdentity),
  z.string().meta(refSchema),
);
const address = z.preprocess(
  (given) => (typeof given === 'string' && readAddress(given) ? given : unreadableIdentity),
  z.string().describe('an e-mail address (RFC 5321, RFC 6531)'),
);
/**
 * A person as an upstream knows them: its own reference (`crm:123`), an address, or both. At least one must be readable. If the
 * other one is unreadable, it is left out here, so that it gets no further, and the signal is accepted without it.
 */
const contact = z.strictObject({ ref: ref.optional(), email: address.optional() }).superRefine((given, context) => {
  if (given.ref || given.email) return;
  const faults = [
    ...(given.ref === undefined ? [] : [{ name: 'ref', detail: 'not printable ASCII of 1 to 200 without spaces' }]),
    ...(given.email === undefined ? [] : [{ name: 'email', detail: 'not an e-mail address (RFC 5321, RFC 6531)' }]),
  ];
  const [fault, second] = faults;
  if (!fault) context.addIssue({ code: 'custom', message: 'give ref, email, or both' });
  else if (second) {
    const both = faults.map(({ name, detail }) => `${name} is ${detail}`).join(', ');
    context.addIssue({ code: 'custom', message: `${both}; give one that can be read` });
  } else {
    const other = fault.name === 'ref' ? 'email' : 'ref';
    context.addIssue({ code: 'custom', path: [fault.name], message: `${fault.detail}; give one, or ${other}` });
  }
});
/** The data of a person that only an executor may read. It leaves ingestion sealed. */
const person = z.strictObject({
  firstName: Text(100).optional(),
  lastName: Text(100).optional(),
  phone: Text(40).optional(),
});
const consent = z.strictObject({
  purpose: ConsentPurpose,
  channel: Channel,
  status: z.enum(['granted', 'withdrawn']),
});
/** A link without query and fragment, because both often contain identifiers of a person. */
const link = z.url().max(1000);

const email = { messageId: ForeignId.optional(), emailCampaignId: ForeignId.optional() };

/**
 * Every canonical signal: whom it must name (`about`), the facts that may go on, and what must not (`sealed`). A signal's inbound
 * data is `{ account?, contact?, ...facts, ...sealed }`; unknown members are refused.
 */
export const signalKinds = {
  ContentEngaged: kind(
    { account: true, contact: true },
    { contentId: ForeignId, topic: Text(80), seconds: z.int().nonnegative().optional(), url: link.optional() },
  ),
  PageViewed: kind(
    { account: false, contact: true },
    { url: link, title: Text(200).optional(), seconds: z.int().nonnegative().optional() },
  ),
  EmailDelivered: kind({ account: false, contact: true }, { ...email }),
  EmailOpened: kind({ account: false, contact: true }, { ...email }),
  EmailClicked: kind({ account: false, contact: true }, { ...email, url: link.optional() }),
  EmailBounced: kind({ account: false, contact: true }, { ...email, bounce: z.enum(['hard', 'soft']) }),
  EmailComplained: kind({ account: false, contact: true }, { ...email }),
  EmailUnsubscribed: kind({ account: false, contact: true }, { ...email, purpose: ConsentPurpose.optional() }),
  FormSubmitted: kind(
    { account: false, contact: true },
    { formId: ForeignId, consents: listOf(consent, 20).optional() },
    { person: person.optional(), message: z.string().max(5000).optional() },
  ),
  MeetingBooked: kind({ account: false, contact: true }, { meetingId: ForeignId, startsAt: AnyInstant }),
  ConsentChanged: kind({ account: false, contact: true }, { ...consent.shape, basis: Text(200).optional() }),
  AccountUpserted: kind(
    { account: true, contact: false },
    {
      name: Text(200).optional(),
      tier: z.union([z.literal(1), z.literal(2), z.literal(3)]).optional(),
      industry: Text(100).optional(),
      country: z
        .string()
        .regex(/^[A-Z]{2}$/, 'two capital letters, ISO 3166-1')
        .optional(),
      ownerId: ForeignId.optional(),
    },
  ),
  ContactUpserted: kind(
    { account: false, contact: true },
    {
      seniority: Seniority.optional(),
      jobFunction: Text(80).optional(),
      timeZone: z
        .string()
        .max(60)
        .regex(/^[A-Za-z_]+(\/[A-Za-z0-9_+-]+)*$/, 'an IANA time zone')
        .optional(),
      country: z
        .string()
        .regex(/^[A-Z]{2}$/, 'two capital letters, ISO 3166-1')
        .optional(),
      consents: listOf(consent, 20).optional(),
    },
    { person: person.optional() },
  ),
  DealUpserted: kind(
    { account: true, contact: false },
    {
      dealId: ForeignId,
      stage: Text(80),
      amountMinor: Minor.optional(),
      currency: Currency.optional(),
      closesAt: AnyInstant.optional(),
    },
  ),
  CampaignPerformanceReported: kind(
    { account: false, contact: false },
    {
      adAccountId: ForeignId,
      campaignId: ForeignId,
      day: Day,
      spendMinor: Minor.nonnegative(),
      revenueMinor: Minor.nonnegative(),
      currency: Currency,
      impressions: z.int().nonnegative().optional(),
      clicks: z.int().nonnegative().optional(),
      conversions: z.number().nonnegative().optional(),
      dailyBudgetMinor: Minor.nonnegative().optional(),
      bidMinor: Minor.nonnegative().optional(),
      status: z.enum(['active', 'paused']).optional(),
      returnFloorPercent: z.int().positive().max(100_000).optional(),
      name: Text(200).optional(),
    },
  ),
} as const;

export type SignalType = keyof typeof signalKinds;
export const signalTypes = Object.keys(signalKinds) as SignalType[];
/** What a signal of a type may contain, as a source declares it. A contact's reference and its address are two items. */
export const signalMembers = (type: SignalType): readonly string[] =>
  Object.keys(signalKinds[type].inbound.shape).flatMap((name) =>
    name === 'contact' ? ['contact.ref', 'contact.email'] : [name],
  );
/** Inbound data of a signal type, as an upstream publishes it. */
export type SignalData<T extends SignalType> = z.infer<(typeof signalKinds)[T]['inbound']>;
/** The part of a signal that goes on after ingestion. */
export type SignalFacts<T extends SignalType> = z.infer<(typeof signalKinds)[T]['facts']>;

function kind<F extends z.ZodRawShape, S extends z.ZodRawShape = Record<never, never>>(
  about: { account: boolean; contact: boolean },
  facts: F,
  sealed: S = {} as S,
) {
  return {
    /** Whom the signal must name. Any signal may also name an account in addition to a contact. */
    about,
    facts: z.object(facts),
    sealed: Object.keys(sealed),
    inbound: z.strictObject({
      account: about.account ? account : account.optional(),
      contact: about.contact ? contact : contact.optional(),
      ...facts,
      ...sealed,
    }),
  };
}
