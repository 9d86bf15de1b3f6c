import {
  type Action,
  type ActionKindName,
  type ActionKindSpec,
  type Charter,
  type ConsentPurpose,
  contractFault,
  defaultActionsPerHour,
  digestOf,
  type Fault,
  type FigureChange,
  kindSpec,
  type NamedSequence,
  type PlacedText,
  type Rules,
  type Spend,
  scopesCovering,
} from '@countersign/contracts';
import { foldedText } from './content/folded.js';
import type { Proposal } from './facts.js';
import { type SpendDraw, spendDraws } from './spend.js';
import { decisionsNeeded } from './tier-candidates.js';

/** An action whose payload was checked against the catalogue, with the catalogue's declarations about it. */
export interface Subject {
  readonly kind: ActionKindName;
  readonly spec: ActionKindSpec<unknown>;
  readonly payload: unknown;
  /** The contacts that it concerns, its recipients included. */
  readonly contacts: readonly string[];
  readonly recipients: readonly string[];
  readonly consent: { readonly purpose: ConsentPurpose; readonly channel: string } | undefined;
  readonly spend: Spend | undefined;
  readonly changes: readonly FigureChange[];
  readonly adAccountId: string | undefined;
  readonly campaignIds: readonly string[];
  readonly sequence: NamedSequence | undefined;
  readonly named: ReturnType<ActionKindSpec<unknown>['named']>;
  readonly ownerId: string | undefined;
  readonly notBefore: string | undefined;
  /** What people will read, and the targets of links. */
  readonly texts: readonly PlacedText[];
  /** The currency of the money in the payload. */
  readonly currency: string | undefined;
}

/** Reads an action by the catalogue. A kind or field that the catalogue does not know is a fault, and nothing is judged. */
export function subjectOf(
  action: Action,
): { readonly ok: true; readonly subject: Subject } | { readonly ok: false; readonly fault: Fault } {
  const spec = kindSpec(action.kind);
  if (!spec) {
    return {
      ok: false,
      fault: { code: 'unknown-kind', detail: `the catalogue has no kind "${action.kind}"`, field: 'action.kind' },
    };
  }
  const parsed = spec.payload.safeParse(action.payload);
  if (!parsed.success) {
    const fault = contractFault(parsed.error);
    const field = (fault.field ?? 'data').replace(/^data/, 'payload');
    return { ok: false, fault: { code: 'payload', detail: fault.detail.replace(/^data/, 'payload'), field } };
  }
  const payload = parsed.data;
  return {
    ok: true,
    subject: {
      kind: action.kind as ActionKindName,
      spec,
      payload,
      contacts: [...new Set([...spec.contacts(payload), ...spec.recipients(payload)])].sort(),
      recipients: [...new Set(spec.recipients(payload))].sort(),
      consent: spec.consent?.(payload),
      spend: spec.spend(payload),
      changes: spec.changes(payload),
      adAccountId: spec.adAccountId(payload),
      campaignIds: spec.campaignIds(payload),
      sequence: spec.sequence(payload),
      named: spec.named(payload),
      ownerId: spec.ownerId(payload),
      notBefore: spec.notBefore(payload),
      texts: spec.texts(payload),
      currency: (payload as { currency?: string }).currency,
    },
  };
}

/**
 * The sequence into which an action enrols; undefined if it is no enrolment. An action that stops a sequence needs no consent.
 */
export const enrolsIn = ({ sequence }: Subject): string | undefined =>
  sequence?.purpose !== undefined && !sequence.step ? sequence.id : undefined;

/** The sequence that an action stops; undefined if it stops none. */
export const stopsIn = ({ sequence }: Subject): string | undefined =>
  sequence?.purpose === undefined && !sequence?.step ? sequence?.id : undefined;

/** The control scopes that can stop an action, sorted. */
export function controlScopes(agent: string, play: string, action: Action, subject: Subject): readonly string[] {
  const accounts = [action.accountId, subject.adAccountId];
  return scopesCovering({ play, agents: [agent], channel: subject.spec.channel, accounts }).toSorted();
}

/** When a permit that is signed now can run first, in seconds. A send time is rounded up: nothing leaves a fraction too early. */
export function startOf({ notBefore }: Subject, at: string): number {
  const now = Math.floor(Date.parse(at) / 1000);
  return Math.max(now, notBefore === undefined ? now : Math.ceil(Date.parse(notBefore) / 1000));
}

/** What an approval would take from a limit: money of a day or a month, or one of a rolling count. */
export type Draw = SpendDraw | CountDraw;

type CountDraw = {
  readonly ledger: string;
  /** The object of the limit, in words. */
  readonly holder: string;
  readonly amount: number;
  readonly cap: number;
} & (
  | {
      readonly kind: 'touch' | 'send' | 'message';
      /** The time at which it counts: when it is sent. */
      readonly countsAt: string;
      readonly windowMs: number;
    }
  | {
      readonly kind: 'rate';
      /** Counted at the approval, whatever happens to the action later. */
      readonly rateMs: number;
    }
);

/** The prefix of each ledger of approvals, and of no other ledger. */
export const rateLedger = 'actions:';

const hour = 3_600_000;

/** The limits that an action uses, in ledger order. Throws RangeError if the charter's time zone does not exist. */
export function drawsOf(
  subject: Subject,
  { agent, action: { accountId } }: Pick<Proposal, 'agent' | 'action'>,
  charter: Charter,
  { charters, rules }: Limiting['content'],
  at: string,
): readonly Draw[] {
  const { actionsPerHour, accountActionsPerHour } = charter.limits;
  const draws: Draw[] = [
    {
      kind: 'rate',
      ledger: `${rateLedger}${agent}`,
      holder: agent,
      amount: 1,
      cap: actionsPerHour ?? defaultActionsPerHour.agent,
      rateMs: hour,
    },
  ];
  // Both accounts count: an action that names an ad account still belongs to its CRM account.
  for (const account of new Set([accountId, subject.adAccountId].filter((id) => id !== undefined).sort())) {
    draws.push({
      kind: 'rate',
      ledger: `${rateLedger}${agent}:${account}`,
      holder: `${agent} for ${account}`,
      amount: 1,
      cap: accountActionsPerHour ?? defaultActionsPerHour.account,
      rateMs: hour,
    });
  }
  draws.push(...spendDraws(subject.spend, agent, charter, charters, at));
  if (subject.spec.touches) {
    const countsAt = subject.notBefore !== undefined && subject.notBefore > at ? subject.notBefore : at;
    const { touches, days } = rules.contactFrequency;
    draws.push({
      kind: 'send',
      ledger: `sends:${agent}`,
      holder: agent,
      amount: Math.max(1, subject.recipients.length),
      cap: charter.limits.sendsPerHour,
      countsAt,
      windowMs: hour,
    });
    for (const contact of subject.recipients) {
      draws.push({
        kind: 'touch',
        ledger: `touch:${contact}`,
        holder: `contact ${contact}`,
        amount: 1,
        cap: touches,
        countsAt,
        windowMs: days * 24 * hour,
      });
    }
    const body = bodyOf(subject);
    if (rules.sameMessageDays !== undefined && body !== undefined) {
      for (const contact of subject.recipients) {
        draws.push({
          kind: 'message',
          ledger: `message:${contact}:${body}`,
          holder: `contact ${contact}`,
          amount: 1,
          cap: 1,
          countsAt,
          windowMs: rules.sameMessageDays * 24 * hour,
        });
      }
    }
  }
  return draws;
}

/** SHA-256 of the body of a message, so that another case or another space does not make it another message. */
function bodyOf({ texts }: Subject): string | undefined {
  const body = texts.find(({ place }) => place === 'payload.body')?.text;
  return body === undefined ? undefined : digestOf(foldedText(body).replace(/ +/g, ' ').trim());
}

/** The facts that a proposal needs, by key. The caller loads and locks them before it judges. */
export interface Concerns {
  readonly contacts: readonly string[];
  /** Contacts of whom it must be known where their data came from. */
  readonly origins: readonly string[];
  /** Contacts of whom it must be known where they are. */
  readonly whereabouts: readonly string[];
  /** Accounts whose owner must be known. */
  readonly accounts: readonly string[];
  readonly adAccounts: readonly string[];
  /** Each campaign belongs to one of the ad accounts. */
  readonly campaigns: readonly { readonly adAccountId: string; readonly campaignId: string }[];
  readonly controls: readonly string[];
  /** How many decisions of people about actions of this kind matter; 0 if none. */
  readonly decisions: number;
  readonly draws: readonly Draw[];
}

/** The campaigns of one ad account that a proposal concerns. */
export const campaignsOf = ({ campaigns }: Pick<Concerns, 'campaigns'>, adAccountId: string): readonly string[] => [
  ...new Set(campaigns.filter((c) => c.adAccountId === adAccountId).map((c) => c.campaignId)),
];

/** An action that was read once: its digest, and its declarations from the catalogue. */
export interface ReadAction {
  readonly action: Action;
  /** SHA-256 of the action's RFC 8785 form. */
  readonly digest: string;
  readonly read: ReturnType<typeof subjectOf>;
}

export const readAction = (action: Action): ReadAction => ({
  action,
  digest: digestOf(action),
  read: subjectOf(action),
});

type Limiting = { readonly content: { readonly charters: readonly Charter[]; readonly rules: Rules } };

/** What follows from an action, its agent and the policy: the charter, the limits that it uses, the facts that it needs. */
export interface Weighed {
  readonly charter: Charter | undefined;
  /** Why the limits of the charter cannot be read. */
  readonly fault?: unknown;
  readonly concerns: Concerns;
}

/** Whether a notice of where a person's data came from may be needed. */
const needsOrigins = ({ spec }: Subject, charter: Charter, rules: Rules): boolean =>
  spec.touches && (rules.dataNotice !== undefined || charter.texts?.dataNotice !== undefined);

/** Whether it must be known where its recipients are. */
const needsWhereabouts = ({ spec }: Subject, rules: Rules): boolean =>
  spec.touches && (rules.quietHours !== undefined || rules.workingDays !== undefined);

const nothing: Concerns = {
  contacts: [],
  origins: [],
  whereabouts: [],
  accounts: [],
  adAccounts: [],
  campaigns: [],
  controls: [],
  decisions: 0,
  draws: [],
};

/** Never throws. For a proposal that will be refused unread it names nothing. */
export function weighed(
  proposal: Proposal,
  read: ReturnType<typeof subjectOf>,
  policy: Limiting | null,
  at: string,
): Weighed {
  const charter = policy?.content.charters.find((c) => c.agent === proposal.agent);
  if (!read.ok || !policy || !charter) return { charter, concerns: nothing };
  let draws: readonly Draw[];
  try {
    draws = drawsOf(read.subject, proposal, charter, policy.content, at);
  } catch (fault) {
    return { charter, fault, concerns: nothing };
  }
  const { adAccountId, campaignIds, changes, ownerId } = read.subject;
  const { accountId } = proposal.action;
  const adAccounts = new Set(changes.map((change) => change.adAccountId));
  if (adAccountId !== undefined) adAccounts.add(adAccountId);
  const named = adAccountId === undefined ? [] : campaignIds.map((campaignId) => ({ adAccountId, campaignId }));
  return {
    charter,
    concerns: {
      contacts: read.subject.contacts,
      origins: needsOrigins(read.subject, charter, policy.content.rules) ? read.subject.recipients : [],
      whereabouts: needsWhereabouts(read.subject, policy.content.rules) ? read.subject.recipients : [],
      accounts: ownerId === undefined || accountId === undefined ? [] : [accountId],
      adAccounts: [...adAccounts].sort(),
      campaigns: [...named, ...changes.map(({ adAccountId, campaignId }) => ({ adAccountId, campaignId }))],
      controls: controlScopes(proposal.agent, proposal.play.id, proposal.action, read.subject),
      decisions: decisionsNeeded(charter, charter.kinds[read.subject.kind]),
      draws,
    },
  };
}

/** The facts that a proposal needs. Never throws. For a proposal that will be refused unread it names nothing. */
export const concerns = (proposal: Proposal, policy: Limiting | null, at: string): Concerns =>
  weighed(proposal, subjectOf(proposal.action), policy, at).concerns;
