import {
  type ActionProposed,
  type Consents,
  type cameToNothing,
  own,
  type Policy,
  type ReviewDecided,
  type Seniority,
  type TaskAssigned,
} from '@countersign/contracts';

/**
 * What of a proposal is judged. Its free text (rationale, evidence, alternatives) is not among it: the same action gets the
 * same verdict whatever is said about it.
 */
export type Proposal = Pick<
  ActionProposed,
  'proposalId' | 'taskId' | 'item' | 'agent' | 'play' | 'kinds' | 'action' | 'lineage' | 'madeFrom'
>;

/** A daily ledger of money, in minor units of its currency; null where nothing was ever booked. */
export interface MoneyLedger {
  readonly held: number;
  readonly committed: number;
  readonly currency: string | null;
}

/** A rolling ledger of counts as one action sees it, see `windowOf`: how many there are, not when each was. */
export interface CountLedger {
  readonly held: number;
  readonly committed: number;
  /** Where the cap leaves no room: the time of the count that has to leave the window first. Absent where none could. */
  readonly blocking?: string;
}

export interface ContactFact {
  readonly version: number;
  readonly seniority: Seniority;
  /** The CRM account that the contact belongs to, where that is known. */
  readonly accountId?: string;
  readonly firstTouchedAt?: string;
  /** Whether a touch of this contact was ever executed. */
  readonly touched: boolean;
}

export interface AccountFact {
  readonly version: number;
  /** Its owner in the CRM, where that is known. */
  readonly ownerId?: string;
}

export interface CampaignFact {
  /** That of the campaign's profile. Absent where only the profile of its ad account, of a time before, told of it. */
  readonly version?: number;
  readonly dailyBudgetMinor?: number;
  readonly bidMinor?: number;
}

export interface AdAccountFact {
  readonly version: number;
  readonly currency: string;
  /** Those that the action concerns and that are known, by campaign id. */
  readonly campaigns: Readonly<Record<string, CampaignFact>>;
}

export interface ControlFact {
  /** 0 where the scope was never stopped. */
  readonly version: number;
  readonly state: 'running' | 'stopped';
  readonly by?: string;
  readonly reason?: string;
}

export interface ConsentFact extends Pick<Consents, 'entries' | 'suppressions'> {
  /** 0 where nothing is on record. */
  readonly version: number;
}

/** The settings of a task that name a thing, which an action under it is about, or a purpose that it has. */
const naming = ['sequence', 'purpose', 'template', 'creativeId', 'url'] as const;

/** What the orchestrator gave to an agent, as far as a verdict rests on it. */
export interface TaskFact extends Pick<TaskAssigned, 'agent' | 'kinds'> {
  readonly play: Pick<TaskAssigned['play'], 'id' | 'runId'>;
  /** The CRM account that it is about, where it is about one. */
  readonly accountId?: string;
  /** The ad account that it is about, or that its settings name. */
  readonly adAccountId?: string;
  /** The campaign likewise. */
  readonly campaignId?: string;
  /** The contacts that it is about. Where a version before kept the task, this is absent, and nothing below the ad account is known. */
  readonly contactIds?: readonly string[];
  readonly named?: Readonly<Partial<Record<(typeof naming)[number], string>>>;
  readonly dueAt: string;
  /** How many contacts it is about. */
  readonly contactCount: number;
  /** The task was read before these two were kept: they are the most that a play can give. */
  readonly assumed?: true;
}

/** What of a task a verdict rests on. */
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

/** A task as a fact of one verdict: a surge may have hundreds of contacts, and each of their actions concerns one. */
export const taskAbout = (task: TaskFact, contacts: readonly string[]): TaskFact =>
  task.contactIds === undefined ? task : { ...task, contactIds: task.contactIds.filter((id) => contacts.includes(id)) };

/** How much its author has proposed already, of this and at all. */
export interface CountedFact {
  /** Proposals under its task that came before it; of a message of a sequence, those of the same enrolment. */
  readonly proposals: number;
  /** The author's actions that wait for a person. */
  readonly waiting: number;
}

/** The `sequence.enroll` of the same author and task, as it was approved, that a message of a sequence names. */
export interface EnrolmentFact {
  readonly contactId: string;
  readonly sequenceId: string;
  /** How its permit was settled, where nothing came of it; or that the sequence was stopped for the contact after it was approved. */
  readonly ended?: (typeof cameToNothing)[number] | 'stopped';
}

export type ReviewFact = Pick<ReviewDecided, 'reviewId' | 'by' | 'decision' | 'digest' | 'at'>;

/**
 * Everything beside proposal and policy that a verdict rests on: a plain JSON value, stored with the verdict so that it can be
 * judged again. What `concerns` names must be here, with version 0 where there is none; a missing member is a fault of the
 * caller and refuses.
 */
export interface Facts {
  /** The agent whose topic the proposal was read from. */
  readonly author: string;
  /** The task that the proposal names, as the orchestrator assigned it; null where it assigned none under that id. */
  readonly task: TaskFact | null;
  /** When the broker took the proposal. Absent with a review: it was looked at before a person was asked. */
  readonly takenAt?: string;
  /** Absent with a review, likewise. */
  readonly counted?: CountedFact;
  /** Of a message of a sequence, null where none was approved. Absent of everything else, and with a review. */
  readonly enrolment?: EnrolmentFact | null;
  /**
   * Of a message of a sequence: actions for the same step of the same enrolment that were approved and did not come to nothing, or that
   * wait for a person; with a review only those approved. Of an enrolment: those of the same contact and sequence under the same task.
   * Absent of everything else.
   */
  readonly sameStep?: number;
  /** Length of the whole proposal's RFC 8785 form, in bytes of UTF-8. */
  readonly proposalBytes: number;
  /** Profiles of the recipients; null where there is none. */
  readonly contacts: Readonly<Record<string, ContactFact | null>>;
  /** By CRM account, of an action that names an owner; null where there is none. */
  readonly accounts: Readonly<Record<string, AccountFact | null>>;
  /** By ad account; null where there is none. */
  readonly adAccounts: Readonly<Record<string, AdAccountFact | null>>;
  readonly consents: Readonly<Record<string, ConsentFact>>;
  /** By scope. */
  readonly controls: Readonly<Record<string, ControlFact>>;
  readonly ledgers: Readonly<Record<string, MoneyLedger | CountLedger>>;
  /** The versions that are known here of what the proposal was made from, under the same keys; absent is 0. */
  readonly versions: Readonly<Record<string, number>>;
  /** A person's approval, of the proposal or by an edit. */
  readonly review?: ReviewFact;
}

/** The part of a published policy that is judged under. */
export type PolicyInForce = Pick<Policy, 'version' | 'digest' | 'parts' | 'content'>;
