import type { PersonFacts } from '@countersign/contracts';

/* The HTTP answers of the services, as far as this command line reads them. */

export interface Funnel {
  readonly at: string;
  readonly signals: { accepted: number; rejected: number; rejectedBy: Record<string, number> };
  readonly tasks: { assigned: number; proposed: number; declined: number; escalated: number; withheld?: number };
  readonly proposals: { total: number; byAgent: Record<string, number> };
  readonly verdicts: {
    approved: number;
    refused: number;
    escalated: number;
    superseded: number;
    refusedBy: Record<string, number>;
  };
  readonly reviews: { open: number; approve: number; edit: number; reject: number; setAside: number };
  readonly settled: Record<'executed' | 'failed' | 'refused' | 'expired' | 'unresolved' | 'undone', number>;
  readonly unresolved: { open: number };
  readonly permitsRejected: { total: number; by: Record<string, number> };
  readonly deadLetters: { open: number; total: number; byService: Record<string, number> };
}

interface Spend {
  readonly id: string;
  /** Of a campaign, if it is known. An older console does not send it. */
  readonly name?: string | null;
  readonly currency: string;
  readonly heldMinor: number;
  readonly committedMinor: number;
  readonly capMinor: number | null;
}

interface WaitingFor {
  readonly count: number;
  readonly oldestAt: string | null;
}

/** The present state, as the console's page Now shows it. */
export interface Now {
  readonly at: string;
  readonly funnel: Funnel;
  readonly rates: readonly { readonly stage: string; readonly lastMinute: number; readonly lastHour: number }[];
  readonly waiting: {
    readonly reviews: WaitingFor;
    readonly unresolved: WaitingFor;
    readonly deadLetters: WaitingFor;
    readonly gaps: WaitingFor;
  };
  readonly spend: { readonly adAccounts: readonly Spend[]; readonly campaigns: readonly Spend[] };
  /** What is stopped. */
  readonly stops: readonly Control[];
  /** The permits that an executor rejected in the last days. An older console does not list them. */
  readonly permitsRejected?: {
    readonly count: number;
    readonly first: readonly {
      readonly detail: string;
      readonly count: number;
      readonly lastAt: string;
      readonly proposalId: string | null;
    }[];
  };
}

interface Evidence {
  readonly detail: string;
  readonly occurredAt: string;
}

/** A card: `facts` differs between an action and a play's checkpoint. */
export interface Card {
  readonly id: string;
  readonly subject: 'proposal' | 'checkpoint';
  readonly state: string;
  readonly digest: string;
  readonly correlationId: string;
  readonly reviewers: readonly string[];
  readonly deadline: string;
  readonly escalatedAt: string;
  readonly play: { readonly id: string; readonly title: string };
  readonly detail: string;
  readonly approving: string;
  /** What happens without an answer. An older console does not say it. */
  readonly unanswered?: string;
  /** How a checkpoint ended whose tasks never go out. */
  readonly ending?: {
    readonly outcome: 'rejected' | 'suppressed' | 'expired';
    readonly reason: { readonly detail: string };
    readonly next: string;
    readonly at: string;
  } | null;
  readonly facts: {
    /** Its name, or its id if no name is known. */
    readonly account: string | null;
    readonly accountId?: string | null;
    readonly evidence: readonly Evidence[];
    readonly agent?: string;
    readonly kind?: string;
    readonly people?: readonly (PersonFacts & { readonly contactId: string })[];
    readonly money?: { amountMinor: number; currency: string } | null;
    readonly campaigns?: readonly { readonly campaignId: string; readonly name?: string | undefined }[];
    readonly runningTotals?: readonly {
      ledger: string;
      held: number;
      committed: number;
      cap: number;
      currency?: string;
      /** What the action takes, if its own amount is in another currency than the limit. */
      asked?: number;
    }[];
    readonly reversible?: string;
    /** The policy under which a person was asked. */
    readonly policy?: { readonly version: number; readonly digest: string | null };
    readonly whyAsked?: readonly { rule: string; detail: string }[];
    /** An older console does not show it. */
    readonly tier?: { readonly detail: string } | null;
    readonly campaignId?: string | null;
    readonly adAccountId?: string | null;
    readonly contacts?: number;
    /** `may` and `has` are words for the kinds and for the time of its agent. An older console does not send them. */
    readonly tasks?: readonly {
      agent: string;
      purpose: string;
      kinds: readonly string[];
      may?: string;
      has?: string;
    }[];
  };
  readonly agentSays?: {
    readonly quote: string;
    readonly confidence: number;
    /** The alternatives that the agent considered and rejected. An older console does not send them. */
    readonly alternatives?: readonly { readonly detail: string; readonly rejectedBecause: string }[];
    readonly marked: string;
  };
  /** Countries of its people and its account. Only the answer about one card has them, not a list. */
  readonly regions?: readonly { readonly of: 'account' | 'person'; readonly country: string }[];
  /** The stops in force that cover it, and what an approval would lose. Only the answer about one card has it. */
  readonly underStop?: {
    readonly stops: readonly Pick<Control, 'scope' | 'name' | 'by' | 'reason' | 'changedAt'>[];
    readonly approving: string;
    readonly loss: string;
  } | null;
  readonly action?: { readonly kind: string; readonly payload: Record<string, unknown> };
  readonly answers?: readonly {
    by: string;
    decision: string;
    at: string;
    note: string | null;
    setAside: { detail: string } | null;
  }[];
}

export interface ReviewResult {
  readonly reviewId: string;
  readonly state: 'waiting' | 'set-aside' | 'approved' | 'refused' | 'rejected' | 'tasks-assigned' | 'withheld';
  readonly decision: 'approve' | 'edit' | 'reject';
  readonly detail: string;
  /** From when an approved action may run. */
  readonly runsFrom: string | null;
  readonly settlement: { readonly outcome: string } | null;
}

/** Which services apply a control: see `GET /v1/controls` of the console. */
export interface Confirmed {
  readonly confirmed: boolean;
  readonly confirmedBy: readonly string[];
  readonly notConfirmedBy: readonly string[];
  /** Executors that run elsewhere and never reported which controls they apply. */
  readonly unknown: readonly string[];
}

export interface Control extends Confirmed {
  readonly scope: string;
  /** The title of its play or the name of its account, if the console knows one. An older console does not send it. */
  readonly name?: string | null;
  readonly state: 'stopped' | 'running';
  readonly by: string;
  readonly reason: string;
  readonly version: number;
  readonly changedAt: string;
}

export interface Health {
  readonly service: string;
  readonly url: string;
  /** `unreachable` if there is no answer. */
  readonly status: string;
  /** What its health page reports as wrong: the member's name, with its value if that is a word. */
  readonly wrong: readonly string[];
}

/** By name, as the configuration lists them. */
export interface Participants {
  readonly sources: readonly string[];
  readonly agents: readonly string[];
  readonly executors: readonly string[];
}

export interface Story {
  readonly id: string;
  readonly found: boolean;
  readonly title: string;
  readonly lines: readonly { at: string; what: string; detail: string }[];
}

export interface Run {
  readonly runId: string;
  readonly playId: string;
  readonly title: string;
  /** The campaign or the account for which the play ran. */
  readonly subject: Readonly<Record<string, unknown>>;
  readonly state: string;
  readonly reason: string | null;
  readonly at: string;
  readonly tasks?: readonly Task[];
}

export interface Task {
  readonly taskId: string;
  readonly runId: string;
  readonly agent: string;
  readonly purpose: string;
  readonly state: string;
  readonly reason: string | null;
  readonly dueAt: string;
  readonly proposals: readonly { proposalId: string; outcome: string; reason: string | null }[];
}

/** A permit that ended unresolved, and what happened to it since. */
export interface UnresolvedPermit {
  readonly permitId: string;
  readonly actionId: string;
  readonly proposalId: string;
  readonly executor: string;
  readonly connector: string;
  readonly detail: string | null;
  readonly at: string;
  readonly outcome: string;
  readonly decision: {
    readonly outcome: 'executed' | 'failed';
    readonly by: string;
    readonly note: string;
    readonly at: string;
  } | null;
}

/** A dead letter as the console describes it. */
export interface DeadLetterAnswer extends Omit<DeadLetterRow, 'type' | 'job' | 'replayed'> {
  readonly type: string | null;
  readonly job: DeadLetterRow['job'] | null;
  readonly replayedBy: string | null;
  readonly replayedAt: string | null;
  readonly replayNote: string | null;
}

export interface DeadLetterRow {
  readonly deadLetterId: string;
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly type?: string | undefined;
  /** The job, if a job failed for good. Then there is no event. */
  readonly job?: { readonly kind: string; readonly id: string } | undefined;
  readonly fault: { readonly code: string; readonly detail: string; readonly field?: string | undefined };
  readonly attempts: number;
  readonly at: string;
  /** The result of the last order. `open` and `failed-again` wait for a person. */
  readonly state: 'open' | 'ordered' | 'handled' | 'scheduled' | 'failed-again';
  /** When the service reported the result. */
  readonly endedAt: string | null;
  /** Why it failed again. */
  readonly failedAgain: { readonly code: string; readonly detail: string; readonly field?: string | undefined } | null;
  /** The last order to handle it again. */
  readonly replayed: { readonly by: string; readonly at: string; readonly note?: string | undefined } | null;
}

/** Records that were deleted before a service read them, as its health page reports them. */
export interface Gap {
  readonly service: string;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly from: number;
  /** Exclusive. Null: to the end of a topic that was deleted. */
  readonly to: number | null;
  readonly reason: 'records-deleted' | 'topic-made-again';
  readonly noticedAt: string;
}

interface GapWord {
  readonly by: string;
  readonly note: string;
  readonly at: string;
}

/** A gap as the console knows it from the reports of its service. */
export interface ReportedGap extends Gap {
  /** The acknowledgement that the service has not answered yet. */
  readonly acknowledged: GapWord | null;
  /** Of a state topic: its writer, and when the writer published its whole table again since the gap was noticed. */
  readonly state: { readonly writer: string; readonly publishedAgainAt: string | null } | null;
}

export interface AcknowledgedGap extends Omit<Gap, 'noticedAt'> {
  readonly acknowledged: GapWord;
  /** What the service answered; null if it has not. */
  readonly answer: { readonly outcome: 'closed' | 'not-open'; readonly at: string } | null;
}
