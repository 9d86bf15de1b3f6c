import { ForeignId, readAddress, sha256 } from '@countersign/contracts';
import { joined, type Mapped, type Mapping, none, one, signal } from './mapping.js';
import { cell } from './rows.js';
import {
  address,
  countryCode,
  currencyCode,
  earliest,
  instant,
  link,
  millionths,
  minorUnits,
  seniorityOf,
  text,
} from './values.js';

type Cells = Readonly<Record<string, string>>;

const SOURCE = '/sources/upstream/hubspot';

/** Tables that say something only together with others. */
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
 * same id beside it: the event is the signal, its detail is joined to it.
 */
export function hubspot(): Mapping {
  const companyOfDeal = new Map<string, string>();
  const stages = new Map<string, string>();
  const contactsOfMeeting = new Map<string, string[]>();
  const companyOfMeeting = new Map<string, string>();
  /** Rows of email details by event id, each with what became of its event. */
  const detailOf = new Map<string, { readonly table: string; readonly cells: Cells; event?: Mapped['as'] }[]>();
  /** Contacts by the address column as exported, be it an address or a hash of one. */
  const contactByAddress = new Map<string, string>();

  const lookUp = (table: string, cells: Cells): Mapped => {
    switch (table) {
      case 'deal_company': {
        const [deal, company] = [cell(cells, 'deal_id'), cell(cells, 'company_id')];
        if (!deal || !company) return none('names no deal or no company');
        companyOfDeal.set(deal, company);
        return joined;
      }
      case 'deal_pipeline_stage': {
        const [stage, label] = [cell(cells, 'stage_id'), cell(cells, 'label')];
        if (stage && label) stages.set(stage, label);
        return joined;
      }
      case 'engagement_contact': {
        const [engagement, contact] = [cell(cells, 'engagement_id'), cell(cells, 'contact_id')];
        if (!engagement || !contact) return none('names no engagement or no contact');
        contactsOfMeeting.set(engagement, [...(contactsOfMeeting.get(engagement) ?? []), contact]);
        return joined;
      }
      default: {
        const [engagement, company] = [cell(cells, 'engagement_id'), cell(cells, 'company_id')];
        if (!engagement || !company) return none('names no engagement or no company');
        companyOfMeeting.set(engagement, company);
        return joined;
      }
    }
  };

  const contact = (cells: Cells): Mapped => {
    const id = cell(cells, 'id', 'vid', 'contact_id');
    if (id === undefined) return none('has no id');
    const written = cell(cells, 'email');
    if (written !== undefined) contactByAddress.set(identityOf(written), id);
    if (isTrue(cell(cells, '_fivetran_deleted', 'is_deleted'))) return none('was deleted; there is no signal for that');
    const company = cell(cells, 'associatedcompanyid');
    const person = {
      firstName: text(cell(cells, 'firstname'), 100),
      lastName: text(cell(cells, 'lastname'), 100),
      phone: text(cell(cells, 'phone', 'mobilephone'), 40),
    };
    const known = Object.fromEntries(Object.entries(person).filter(([, value]) => value !== undefined));
    return one(SOURCE, 'contact', id, 'ContactUpserted', stateAt(cells), {
      contact: { ref: `hubspot:${id}`, ...(address(written) && { email: address(written) }) },
      account: company && { id: `hubspot:${company}` },
      seniority: seniorityOf(cell(cells, 'jobtitle')),
      country: countryCode(cell(cells, 'country')),
      person: Object.keys(known).length > 0 ? known : undefined,
    });
  };

  const company = (cells: Cells): Mapped => {
    const id = cell(cells, 'id', 'company_id');
    if (id === undefined) return none('has no id');
    if (isTrue(cell(cells, 'is_deleted', '_fivetran_deleted'))) return none('was deleted; there is no signal for that');
    return one(SOURCE, 'company', id, 'AccountUpserted', stateAt(cells), {
      account: { id: `hubspot:${id}` },
      name: text(cell(cells, 'name'), 200),
      industry: text(cell(cells, 'industry'), 100),
      country: countryCode(cell(cells, 'country')),
      ownerId: cell(cells, 'hubspot_owner_id', 'owner_id'),
    });
  };

  const deal = (cells: Cells): Mapped => {
    const id = cell(cells, 'deal_id', 'id');
    if (id === undefined) return none('has no id');
    if (isTrue(cell(cells, 'is_deleted', '_fivetran_deleted'))) return none('was deleted; there is no signal for that');
    const account = companyOfDeal.get(id);
    if (account === undefined) return none('names no company: deal_company has none for the deal');
    const stageId = cell(cells, 'deal_pipeline_stage_id', 'dealstage');
    if (stageId === undefined) return none('has no stage');
    const currency = currencyCode(cell(cells, 'deal_currency_code'));
    const amount = millionths(cell(cells, 'amount'));
    const priced = currency !== undefined && amount !== undefined;
    return one(SOURCE, 'deal', id, 'DealUpserted', stateAt(cells), {
      account: { id: `hubspot:${account}` },
      dealId: `hubspot:${id}`,
      stage: text(stages.get(stageId) ?? stageId, 80),
      ...(priced && { amountMinor: minorUnits(amount, currency), currency }),
      closesAt: instant(cell(cells, 'closedate')),
    });
  };

  const form = (cells: Cells): Mapped => {
    const [id, formId] = [cell(cells, 'contact_id'), cell(cells, 'form_id')];
    if (id === undefined || formId === undefined) return none('names no contact or no form');
    const key = cell(cells, 'conversion_id') ?? `${id}/${formId}/${cell(cells, 'timestamp')}`;
    return one(SOURCE, 'contact_form_submission', key, 'FormSubmitted', instant(cell(cells, 'timestamp')), {
      contact: { ref: `hubspot:${id}` },
      formId: `hubspot:${formId}`,
    });
  };

  const meeting = (cells: Cells): Mapped => {
    const id = cell(cells, 'engagement_id', 'id');
    if (id === undefined) return none('has no id');
    const contacts = contactsOfMeeting.get(id) ?? [];
    if (contacts.length === 0) return none('names no contact: engagement_contact has none for the meeting');
    const startsAt = instant(cell(cells, 'start_time', 'hs_meeting_start_time'));
    const time = earliest(instant(cell(cells, 'created_at', 'createdate')) ?? startsAt, synced(cells));
    const account = companyOfMeeting.get(id);
    const made = contacts.map((contactId) =>
      signal(SOURCE, 'engagement_meeting', `${id}/${contactId}`, 'MeetingBooked', time, {
        contact: { ref: `hubspot:${contactId}` },
        account: account && { id: `hubspot:${account}` },
        meetingId: `hubspot:${id}`,
        startsAt,
      }),
    );
    const fault = made.find((m) => !m.ok);
    if (fault && !fault.ok) return none(fault.why);
    return { as: 'signals', signals: made.flatMap((m) => (m.ok ? [m.signal] : [])) };
  };

  const emailEvent = (cells: Cells): Mapped => {
    const id = cell(cells, 'id');
    if (id === undefined) return none('has no id');
    const details = detailOf.get(id) ?? [];
    const mapped = emailSignal(id, cells, details[0]?.cells ?? {});
    for (const detail of details) detail.event = mapped.as;
    return mapped;
  };

  const emailSignal = (id: string, cells: Cells, detail: Cells): Mapped => {
    if (isTrue(cell(cells, 'filtered_event'))) return none('HubSpot filtered it: not the act of a person');
    const recipient = cell(cells, 'recipient');
    if (recipient === undefined) return none('names no recipient');
    const known = contactByAddress.get(identityOf(recipient));
    const email = address(recipient);
    const about = {
      // A hash that no contact has is still one and the same person each time.
      contact: known ? { ref: `hubspot:${known}` } : email ? { email } : { ref: recipientRef(recipient) },
      messageId: cell(cells, 'sent_by_id'),
      emailCampaignId: cell(cells, 'email_campaign_id') && `hubspot:${cell(cells, 'email_campaign_id')}`,
    };
    const time = instant(cell(cells, 'created'));
    const make = (type: Parameters<typeof one>[3], more: Record<string, unknown> = {}): Mapped =>
      one(SOURCE, 'email_event', id, type, time, { ...about, ...more });
    const type = cell(cells, 'type')?.toUpperCase();
    switch (type) {
      case 'DELIVERED':
        return make('EmailDelivered');
      case 'OPEN':
        return make('EmailOpened');
      case 'CLICK':
        return make('EmailClicked', { url: link(cell(detail, 'url')) });
      case 'BOUNCE':
        return make('EmailBounced', { bounce: bounceOf(detail) });
      case 'SPAMREPORT':
        return make('EmailComplained');
      case 'STATUSCHANGE':
        return cell(detail, 'portal_subscription_status')?.toUpperCase() === 'UNSUBSCRIBED'
          ? make('EmailUnsubscribed')
          : none('a change of subscription that does not say to what');
      default:
        return none(`an email event of type ${type ?? '(none)'} is no signal`);
    }
  };

  return {
    source: SOURCE,
    stage: (table) => (lookups.has(table) || table === 'contact' || isDetail(table) ? 0 : 1),
    row: (table, cells) => {
      if (lookups.has(table)) return lookUp(table, cells);
      if (isDetail(table)) {
        const id = cell(cells, 'id');
        if (id === undefined) return none('has no id');
        detailOf.set(id, [...(detailOf.get(id) ?? []), { table, cells }]);
        return joined;
      }
      switch (table) {
        case 'contact':
          return contact(cells);
        case 'company':
          return company(cells);
        case 'deal':
          return deal(cells);
        case 'contact_form_submission':
          return form(cells);
        case 'engagement_meeting':
          return meeting(cells);
        case 'email_event':
          return emailEvent(cells);
        default:
          return none(noSignal[table] ?? 'no canonical signal for this table');
      }
    },
    *finish() {
      for (const { table, event } of [...detailOf.values()].flat()) {
        if (event === undefined)
          yield { table, rows: 1, why: 'no email_event with its id: whom and when is not known' };
        else if (event === 'none') yield { table, rows: 1, why: 'its email_event is no signal' };
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
const isTrue = (value: string | undefined): boolean => /^(true|t|1|yes)$/i.test(value ?? '');
const synced = (cells: Cells): string | undefined => instant(cell(cells, '_fivetran_synced'));
/** When a row's state was true: its last change, else when it was exported, else its creation. */
const stateAt = (cells: Cells): string | undefined =>
  instant(cell(cells, 'hs_lastmodifieddate', 'lastmodifieddate')) ??
  synced(cells) ??
  instant(cell(cells, 'createdate', 'created_at'));

/** HubSpot reports a bounce when it gives up. A temporary code is soft, except where the mailbox does not exist. */
const bounceOf = (detail: Cells): 'hard' | 'soft' =>
  /^4/.test(cell(detail, 'status') ?? '') && cell(detail, 'category')?.toUpperCase() !== 'UNKNOWN_USER'
    ? 'soft'
    : 'hard';
