import { ConsentPurpose, ForeignId, own, readAddress, type SignalType, sha256 } from '@countersign/contracts';
import { type FigureKind, isMarkOf, NumberStyle } from './figures.js';
import { joined, type Mapped, type Mapping, none, refusing, signal, single } from './mapping.js';
import { Reader } from './reader.js';
import {
  address,
  countryCode,
  currencyCode,
  earliest,
  instant,
  link,
  minorUnits,
  seniorityOf,
  text,
} from './values.js';

/** Tables that say something only in combination with others. */
const details = ['bounce', 'click', 'delivered', 'open', 'spam_report', 'status_change', 'sent', 'dropped', 'deferred'];
const lookups = new Set(['deal_company', 'deal_pipeline_stage', 'engagement_contact', 'engagement_company']);

/** Why rows of a known table are no signals. */
const noSignal: Readonly<Record<string, string>> = {
  contact_list: 'a list is no signal',
  contact_list_member: 'membership of a list is no signal',
  contact_merge_audit: 'contacts are never merged here, so a merge is no signal',
  contact_property_history: 'the history of a property is no signal, its present value comes with the contact',
  deal_contact: 'a deal is about an account, not about its contacts',
  deal_pipeline: 'a pipeline is no signal',
  email_campaign: 'an email campaign is no signal',
  form: 'the description of a form is no signal',
  owner: 'an owner is a colleague, not a contact',
};

/**
 * HubSpot's tables as Fivetran exports them. What happened to an email is one row of `email_event` with a detail row of the
 * same id beside it: the event is the signal, its detail is joined to it. `from` is the CloudEvents source that publishes.
 */
export function hubspot({ from = '/sources/upstream' }: { readonly from?: string } = {}): Mapping {
  const source = `${from}/hubspot`;
  const companyOfDeal = new Map<string, string>();
  const stages = new Map<string, string>();
  const contactsOfMeeting = new Map<string, string[]>();
  const companyOfMeeting = new Map<string, string>();
  /** Rows of email details by event id, each with what became of its event. */
  const detailOf = new Map<string, { readonly table: string; readonly row: Reader; event?: Mapped['as'] }[]>();
  /** Contacts by the address column as exported, be it an address or a hash of one. */
  const contactByAddress = new Map<string, string>();

  const lookUp = (table: string, row: Reader): Mapped => {
    switch (table) {
      case 'deal_company': {
        const [deal, company] = [row.text('deal_id'), row.text('company_id')];
        if (!deal || !company) return none('names no deal or no company');
        companyOfDeal.set(deal, company);
        return joined;
      }
      case 'deal_pipeline_stage': {
        const [stage, label] = [row.text('stage_id'), row.text('label')];
        if (stage && label) stages.set(stage, label);
        return joined;
      }
      case 'engagement_contact': {
        const [engagement, contact] = [row.text('engagement_id'), row.text('contact_id')];
        if (!engagement || !contact) return none('names no engagement or no contact');
        contactsOfMeeting.set(engagement, [...(contactsOfMeeting.get(engagement) ?? []), contact]);
        return joined;
      }
      default: {
        const [engagement, company] = [row.text('engagement_id'), row.text('company_id')];
        if (!engagement || !company) return none('names no engagement or no company');
        companyOfMeeting.set(engagement, company);
        return joined;
      }
    }
  };

  const contact = (row: Reader): Mapped => {
    const id = row.text('id', 'vid', 'contact_id');
    if (id === undefined) return none('has no id');
    const written = row.text('email');
    if (written !== undefined) contactByAddress.set(identityOf(written), id);
    if (row.flag('_fivetran_deleted', 'is_deleted')) return none('was deleted; there is no signal for that');
    const company = row.text('associatedcompanyid');
    const person = {
      firstName: text(row.text('firstname'), 100),
      lastName: text(row.text('lastname'), 100),
      phone: text(row.text('phone', 'mobilephone'), 40),
    };
    const known = Object.fromEntries(Object.entries(person).filter(([, value]) => value !== undefined));
    return single(source, 'contact', id, 'ContactUpserted', stateAt(row), {
      contact: { ref: `hubspot:${id}`, ...(address(written) && { email: address(written) }) },
      account: company && { id: `hubspot:${company}` },
      seniority: seniorityOf(row.text('jobtitle')),
      country: countryCode(row.text('country')),
      consents: leftAny(row)
        ? ConsentPurpose.options.map((purpose) => ({ purpose, channel: 'email', status: 'withdrawn' }))
        : undefined,
      person: Object.keys(known).length > 0 ? known : undefined,
    });
  };

  const company = (row: Reader): Mapped => {
    const id = row.text('id', 'company_id');
    if (id === undefined) return none('has no id');
    if (row.flag('is_deleted', '_fivetran_deleted')) return none('was deleted; there is no signal for that');
    return single(source, 'company', id, 'AccountUpserted', stateAt(row), {
      account: { id: `hubspot:${id}` },
      name: text(row.text('name'), 200),
      industry: text(row.text('industry'), 100),
      country: countryCode(row.text('country')),
      ownerId: row.text('hubspot_owner_id', 'owner_id'),
    });
  };

  const deal = (row: Reader): Mapped => {
    const id = row.text('deal_id', 'id');
    if (id === undefined) return none('has no id');
    if (row.flag('is_deleted', '_fivetran_deleted')) return none('was deleted; there is no signal for that');
    const account = companyOfDeal.get(id);
    if (account === undefined) return none('names no company: deal_company has none for the deal');
    const stageId = row.text('deal_pipeline_stage_id', 'dealstage');
    if (stageId === undefined) return none('has no stage');
    const [stated, price] = [row.text('deal_currency_code'), row.amountIfAny('amount')];
    const currency = currencyCode(stated);
    if (stated !== undefined && currency === undefined) {
      return none(`ISO 4217 has no currency ${stated.slice(0, 10).toUpperCase()}`);
    }
    if (currency && price?.mark !== undefined && !isMarkOf(price.mark, currency)) {
      return none(`its amount is marked with another currency than ${currency}, which the deal has`);
    }
    // An amount without a currency is no money.
    const priced = currency && price && { amountMinor: minorUnits(price.amount, currency), currency };
    return single(source, 'deal', id, 'DealUpserted', stateAt(row), {
      account: { id: `hubspot:${account}` },
      dealId: `hubspot:${id}`,
      stage: text(stages.get(stageId) ?? stageId, 80),
      ...priced,
      closesAt: row.instant('closedate'),
    });
  };

  const form = (row: Reader): Mapped => {
    const [id, formId] = [row.text('contact_id'), row.text('form_id')];
    if (id === undefined || formId === undefined) return none('names no contact or no form');
    const key = row.text('conversion_id') ?? `${id}/${formId}/${row.text('timestamp')}`;
    return single(source, 'contact_form_submission', key, 'FormSubmitted', row.instant('timestamp'), {
      contact: { ref: `hubspot:${id}` },
      formId: `hubspot:${formId}`,
    });
  };

  const meeting = (row: Reader): Mapped => {
    const id = row.text('engagement_id', 'id');
    if (id === undefined) return none('has no id');
    const contacts = contactsOfMeeting.get(id) ?? [];
    if (contacts.length === 0) return none('names no contact: engagement_contact has none for the meeting');
    const startsAt = row.instant('start_time', 'hs_meeting_start_time');
    const time = earliest(row.instant('created_at', 'createdate') ?? startsAt, synced(row));
    const account = companyOfMeeting.get(id);
    const made = contacts.map((contactId) =>
      signal(source, 'engagement_meeting', `${id}/${contactId}`, 'MeetingBooked', time, {
        contact: { ref: `hubspot:${contactId}` },
        account: account && { id: `hubspot:${account}` },
        meetingId: `hubspot:${id}`,
        startsAt,
      }),
    );
    const fault = made.find((m) => !m.ok);
    if (fault && !fault.ok) return none(fault.reason);
    return { as: 'signals', signals: made.flatMap((m) => (m.ok ? [m.signal] : [])) };
  };

  const emailEvent = (row: Reader): Mapped => {
    const id = row.text('id');
    if (id === undefined) return none('has no id');
    const details = detailOf.get(id) ?? [];
    const mapped = refusing(() => emailSignal(id, row, [row, ...details.map((detail) => detail.row)]));
    for (const detail of details) detail.event = mapped.as;
    return mapped;
  };

  /** `parts`: the event's own cells and those of its details; some exports have all in one table. */
  const emailSignal = (id: string, row: Reader, parts: readonly Reader[]): Mapped => {
    const recipient = row.text('recipient');
    if (recipient === undefined) return none('names no recipient');
    const known = contactByAddress.get(identityOf(recipient));
    const email = address(recipient);
    const about = {
      // A hash that no contact has still means the same person each time.
      contact: known ? { ref: `hubspot:${known}` } : email ? { email } : { ref: recipientRef(recipient) },
      messageId: row.text('sent_by_id'),
      emailCampaignId: row.text('email_campaign_id') && `hubspot:${row.text('email_campaign_id')}`,
    };
    const make = (type: SignalType, time: string | undefined, more: Record<string, unknown> = {}): Mapped =>
      single(source, 'email_event', id, type, time, { ...about, ...more });
    // HubSpot filters events out of its reports, as those of machines that look at mails.
    const act = (type: SignalType, more: Record<string, unknown> = {}): Mapped =>
      row.flag('filtered_event')
        ? none('HubSpot filtered it: not the act of a person')
        : make(type, row.instant('created'), more);
    // What takes a permission away counts all the same, and of the time of export where its own cannot be read.
    const protect = (type: SignalType, more: Record<string, unknown> = {}): Mapped =>
      make(type, instant(row.text('created')) ?? instant(row.text('_fivetran_synced')), more);
    const type = row.text('type')?.toUpperCase().replaceAll('_', '');
    switch (type) {
      case 'DELIVERED':
        return act('EmailDelivered');
      case 'OPEN':
        return act('EmailOpened');
      case 'CLICK':
        return act('EmailClicked', { url: link(first(parts, 'url')) });
      case 'BOUNCE':
        return protect('EmailBounced', { bounce: bounceOf(parts) });
      case 'SPAMREPORT':
        return protect('EmailComplained');
      case 'STATUSCHANGE':
        return statusChange(changeOf(parts), protect);
      default:
        return none(`an email event of type ${type?.slice(0, 20) ?? '(none)'} is no signal`);
    }
  };

  const statusChange = (
    change: ReturnType<typeof changeOf>,
    protect: (type: SignalType, more?: Record<string, unknown>) => Mapped,
  ): Mapped => {
    switch (change) {
      case 'left':
        // Which purpose a subscription serves HubSpot does not say: leaving one withdraws all.
        return protect('EmailUnsubscribed');
      case 'bounced':
        return protect('EmailBounced', { bounce: 'hard' });
      case 'joined':
        return none('a subscription that was taken again names no purpose, so it grants nothing');
      case undefined:
        return none('a change of subscription that does not say to what');
    }
  };

  return {
    source,
    stage: (table) => (lookups.has(table) || table === 'contact' || isDetail(table) ? 0 : 1),
    numbers,
    row: (table, cells, style = new NumberStyle(numbers(table))) =>
      refusing(() => {
        const row = new Reader(cells, style);
        if (lookups.has(table)) return lookUp(table, row);
        if (isDetail(table)) {
          const id = row.text('id');
          if (id === undefined) return none('has no id');
          detailOf.set(id, [...(detailOf.get(id) ?? []), { table, row }]);
          return joined;
        }
        switch (table) {
          case 'contact':
            return contact(row);
          case 'company':
            return company(row);
          case 'deal':
            return deal(row);
          case 'contact_form_submission':
            return form(row);
          case 'engagement_meeting':
            return meeting(row);
          case 'email_event':
            return emailEvent(row);
          default:
            return none(own(noSignal, table) ?? 'no canonical signal for this table');
        }
      }),
    *finish() {
      for (const { table, event } of [...detailOf.values()].flat()) {
        if (event === undefined)
          yield { table, rows: 1, reason: 'no email_event with its id: whom and when is not known' };
        else if (event === 'none') yield { table, rows: 1, reason: 'its email_event is no signal' };
      }
    },
  };
}

/** One text for the spellings of an address; of what is none, such as a hash, itself. */
const identityOf = (written: string): string => readAddress(written)?.identity ?? written;

/** A reference for a recipient whose address cannot be read: itself where a reference may be written so, else its digest. */
function recipientRef(recipient: string): string {
  const ref = `hubspot:recipient:${recipient}`;
  return ForeignId.safeParse(ref).success ? ref : `hubspot:recipient:${sha256(recipient)}`;
}

const isDetail = (table: string): boolean => details.some((detail) => table === `email_event_${detail}`);
const synced = (row: Reader): string | undefined => row.instant('_fivetran_synced');
/** When a row's state was true: its last change, else when it was exported, else its creation. */
const stateAt = (row: Reader): string | undefined =>
  row.instant('hs_lastmodifieddate', 'lastmodifieddate') ?? synced(row) ?? row.instant('createdate', 'created_at');

const first = (parts: readonly Reader[], ...names: readonly string[]): string | undefined =>
  parts.map((part) => part.text(...names)).find((value) => value !== undefined);

const numbers = (table: string): Readonly<Record<string, FigureKind>> =>
  table === 'deal' ? { amount: 'decimal', property_amount: 'decimal' } : {};

/** As HubSpot writes that somebody left, for all mails, one subscription, or the legal basis of one. */
const left = /(?<![A-Z_])(UNSUBSCRIBED|NOT_?SUBSCRIBED|OPT(ED)?_?OUT)(?![A-Z_])/i;

/**
 * What a change of status says. `portal_subscription_status` is about all mails and empty where single subscriptions change;
 * those stand in `subscriptions`, as JSON that exports write in many ways, so its words are looked for. Leaving anything comes
 * before all else that the change says.
 */
function changeOf(parts: readonly Reader[]): 'left' | 'bounced' | 'joined' | undefined {
  const statuses = parts.flatMap((part) => [
    part.text('portal_subscription_status', 'portalsubscriptionstatus'),
    part.text('subscriptions'),
  ]);
  const words = statuses.filter((text) => text !== undefined);
  if (words.some((text) => left.test(text))) return 'left';
  if (parts.some((part) => part.flag('bounced'))) return 'bounced';
  return words.some((text) => /SUBSCRIBED|OPT(ED)?_?IN/i.test(text)) ? 'joined' : undefined;
}

/** The contact's present state: it left all mails (`hs_email_optout`) or one subscription (`hs_email_optout_<id>`). */
const leftAny = (row: Reader): boolean => row.names(/^hs_email_optout(_\d+)?$/).some((name) => row.flag(name));

/** HubSpot reports a bounce when it gives up. A temporary code is soft, except where the mailbox does not exist. */
const bounceOf = (parts: readonly Reader[]): 'hard' | 'soft' =>
  /^4/.test(first(parts, 'status') ?? '') && first(parts, 'category')?.toUpperCase() !== 'UNKNOWN_USER'
    ? 'soft'
    : 'hard';
