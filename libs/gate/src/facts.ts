import {
  type ActionProposed,
  type Consents,
  type cameToNothing,
  own,
  type Policy,
  type Rates,
  type ReviewDecided,
  type Seniority,
  type TaskAssigned,
} from '@countersign/contracts';

/**
 * The judged part of a proposal. Its free text (rationale, evidence, alternatives) is not judged: the same action gets the same
 * verdict, whatever text comes with it.
 */
export type Proposal = Pick<
  ActionProposed,
  'proposalId' | 'taskId' | 'item' | 'agent' | 'play' | 'kinds' | 'action' | 'lineage' | 'madeFrom'
>;

/** A ledger of money of a day or a month, in minor units of its currency; null if nothing was ever booked. */
export interface MoneyLedger {
  readonly held: number;
  readonly committed: number;
  readonly currency: string | null;
  /** The amounts in other currencies, sorted by currency. Absent if there are none. */
  readonly others?: readonly { readonly currency: string; readonly held: number; readonly committed: number }[];
}

/** A rolling ledger of counts as one action sees it, see `windowOf`: how many counts there are, not the time of each. */
export interface CountLedger {
  readonly held: number;
  readonly committed: number;
  /** If the cap leaves no room: the time of the count that must leave the window first. Absent if no count can. */
  readonly blocking?: string;
}

export interface ContactFact {
  readonly version: number;
  readonly seniority: Seniority;
  /** The CRM account that the contact belongs to, if it is known. */
  readonly accountId?: string;
  readonly firstTouchedAt?: string;
  /** Whether a touch of this contact was ever executed. */
  readonly touched: boolean;
}

/** Where the data of a contact came from, as far as a notice to the person depends on it. */
export interface OriginFact {
  readonly version: number;
  /** ISO 3166-1, if it is known. */
  readonly country?: string;
  /** The source that gave the address first, if it is known. */
  readonly address?: string;
  /** The sources of the profile's fields and of the address, sorted. */
  readonly sources: readonly string[];
}

/** Where a contact is, as far as quiet hours depend on it. */
export interface WhereaboutsFact {
  readonly version: number;
  /** As a source gave it: perhaps no time zone of IANA. */
  readonly timeZone?: string;
  /** ISO 3166-1, if it is known. */
  readonly country?: string;
}

export interface AccountFact {
  readonly version: number;
  /** Its owner in the CRM, if known. */
  readonly ownerId?: string;
}

export interface CampaignFact {
  /** The version of the campaign's profile. Absent if only an earlier profile of its ad account had the campaign. */
  readonly version?: number;
  readonly dailyBudgetMinor?: number;
  readonly bidMinor?: number;
}

export interface AdAccountFact {
  readonly version: number;
  readonly currency: string;
  /** The known campaigns that the action concerns, by campaign id. */
  readonly campaigns: Readonly<Record<string, CampaignFact>>;
}

export interface ControlFact {
  /** 0 if the scope was never stopped. */
  readonly version: number;
  readonly state: 'running' | 'stopped';
  readonly by?: string;
  readonly reason?: string;
}

export interface ConsentFact extends Pick<Consents, 'entries' | 'suppressions'> {
  /** 0 if nothing is on record. */
  readonly version: number;
}

/** The settings of a task that name the object of an action under it, or its purpose. */
const naming = ['sequence', 'purpose', 'template', 'creativeId', 'url'] as const;

/** What the orchestrator gave to an agent, as far as a verdict depends on it. */
export interface TaskFact extends Pick<TaskAssigned, 'agent' | 'kinds'> {
  readonly play: Pick<TaskAssigned['play'], 'id' | 'runId'>;
  /** The CRM account that the task is about, if any. */
  readonly accountId?: string;
  /** The ad account that the task is about, or that its settings name. */
  readonly adAccountId?: string;
  /** The campaign that the task is about, or that its settings name. */
  readonly campaignId?: string;
  /**
   * The contacts that the task is about. Absent if an earlier version stored the task; then nothing below the ad account is
   * known.
   */
  readonly contactIds?: readonly string[];
  readonly named?: Readonly<Partial<Record<(typeof naming)[number], string>>>;
  readonly dueAt: string;
  /** How many contacts the task is about. */
  readonly contactCount: number;
  /** The task was read before `dueAt` and `contactCount` were stored. They are then the largest values that a play can give. */
  readonly assumed?: true;
}

/** The part of a task that a verdict depends on. */
export function taskFact(task: TaskAssigned): TaskFact {
  const { agent, kinds, play, accountId, contactIds, settings, dueAt } = task;
  const adAccountId = task.adAccountId ?? own(settings, 'adAccountId');
  const campaignId = task.campaignId ?? own(settings, 'campaignId');
  return {
    agent,
    kinds,
    play: { id: play.id, runId: play.runId },
    ...(accountId !== undefined && { accountId }),
    ...(adAccountId !== undefined && { adAccountId: String(adAccountId) }),
    ...(campaignId !== undefined && { campaignId: String(campaignId) }),
    contactIds,
    dueAt,
    contactCount: contactIds.length,
    named: Object.fromEntries(
      naming.flatMap((name) => {
        const value = own(settings, name);
        return value === undefined ? [] : [[name, String(value)]];
      }),
    ),
  };
}

/** A task as a fact of one verdict. A surge may have hundreds of contacts, and each of its actions concerns only one. */
export const taskAbout = (task: TaskFact, contacts: readonly string[]): TaskFact =>
  task.contactIds === undefined ? task : { ...task, contactIds: task.contactIds.filter((id) => contacts.includes(id)) };

/** How much the author has proposed already: under this task, and in total. */
export interface CountedFact {
  /** Earlier proposals under its task. For a message of a sequence: those of the same enrolment. */
  readonly proposals: number;
  /** The author's actions that wait for a person. */
  readonly waiting: number;
}

/** The approved `sequence.enroll` of the same author and task that a message of a sequence names. */
export interface EnrolmentFact {
  readonly contactId: string;
  readonly sequenceId: string;
  /**
   * How its permit was settled, if the enrolment came to nothing; or that the sequence was stopped for the contact after the
   * approval.
   */
  readonly ended?: (typeof cameToNothing)[number] | 'stopped';
}

export type ReviewFact = Pick<ReviewDecided, 'reviewId' | 'by' | 'decision' | 'digest' | 'at'>;

/**
 * All facts that a verdict depends on beside the proposal and the policy. A plain JSON value, stored with the verdict so that it
 * can be judged again. Every fact that `concerns` names must be here, with version 0 if there is none. A missing member is a
 * fault of the caller, and the verdict is a refusal.
 */
export interface Facts {
  /** The agent whose topic the proposal was read from. */
  readonly author: string;
  /** The task that the proposal names, as the orchestrator assigned it; null if it assigned none with that id. */
  readonly task: TaskFact | null;
  /** When the broker took the proposal. Absent with a review: the time was checked before a person was asked. */
  readonly takenAt?: string;
  /** Absent with a review, for the same reason. */
  readonly counted?: CountedFact;
  /**
   * Only if the charter asks for decisions of people first: how many of the author's actions of this kind people have decided, counted up
   * to as many as are needed. An approval, an edit and a rejection count alike.
   */
  readonly decided?: number;
  /** Only for a message of a sequence; null if no enrolment was approved. Absent with a review. */
  readonly enrolment?: EnrolmentFact | null;
  /**
   * For a message of a sequence: actions for the same step of the same enrolment that were approved and did not come to nothing,
   * or that wait for a person (with a review, only the approved ones). For an enrolment: those for the same contact and sequence
   * under the same task. Otherwise absent.
   */
  readonly sameStep?: number;
  /** Length of the whole proposal's RFC 8785 form, in bytes of UTF-8. */
  readonly proposalBytes: number;
  /** Profiles of the contacts; null if there is none. */
  readonly contacts: Readonly<Record<string, ContactFact | null>>;
  /** By contact, only if a notice of where their data came from may be needed; null if there is no profile. */
  readonly origins?: Readonly<Record<string, OriginFact | null>>;
  /** By contact, only if quiet hours or working days are set; null if there is no profile. */
  readonly whereabouts?: Readonly<Record<string, WhereaboutsFact | null>>;
  /** By CRM account, only for an action that names an owner; null if there is none. */
  readonly accounts: Readonly<Record<string, AccountFact | null>>;
  /** By ad account; null if there is none. */
  readonly adAccounts: Readonly<Record<string, AdAccountFact | null>>;
  readonly consents: Readonly<Record<string, ConsentFact>>;
  /** By scope. */
  readonly controls: Readonly<Record<string, ControlFact>>;
  readonly ledgers: Readonly<Record<string, MoneyLedger | CountLedger>>;
  /**
   * The policy's exchange rates of the currencies that the action and its ledgers are in. Absent if all of them are the charter's
   * currency, or if the policy has no rates.
   */
  readonly rates?: Rates;
  /** The versions that this service knows of the state that the proposal was made from, under the same keys. Absent means 0. */
  readonly versions: Readonly<Record<string, number>>;
  /** A person's approval, of the proposal or by an edit. */
  readonly review?: ReviewFact;
}

/** The part of a published policy that verdicts depend on. */
export type PolicyInForce = Pick<Policy, 'version' | 'digest' | 'parts' | 'content'>;
