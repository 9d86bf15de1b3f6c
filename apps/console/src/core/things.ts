import {
  type Action,
  type Alarm,
  type DataOf,
  money,
  type NotifyEvent,
  plainText,
  profileKey,
  tierOf,
  withoutAddresses,
} from '@countersign/contracts';
import type { Received } from '@countersign/runtime';
import { campaignKeys } from './campaign-keys.js';
import { isTracked } from './detail.js';
import { gapIdOf } from './gap.js';
import { count, kindWords as wordsOfKind } from './kind-words.js';
import { foreign } from './stories.js';
import { whyAsked } from './why-asked.js';

/** A daily cap of an agent's charter, and the share of it that is used: the share that the rule names, as soon as a rule is chosen. */
export interface Budget {
  readonly holder: 'campaign' | 'ad-account';
  readonly id: string;
  /** In the time zone of the agent's charter. */
  readonly day: string;
  readonly agent: string;
  readonly capMinor: number;
  readonly currency: string;
  readonly share: number;
}

/** What must be true when a notification is due. Otherwise it is not sent. */
export type Check =
  | { readonly on: 'review'; readonly subjectId: string; readonly digest: string }
  | { readonly on: 'dead-letter'; readonly deadLetterId: string }
  | { readonly on: 'unresolved'; readonly permitId: string }
  | { readonly on: 'control'; readonly scope: string; readonly version: number }
  | { readonly on: 'unconfirmed'; readonly scope: string; readonly version: number }
  | ({ readonly on: 'budget' } & Budget)
  | { readonly on: 'gap'; readonly gapId: string }
  | { readonly on: 'nothing' };

/** What a message shows of a thing: no names, addresses or texts of people. An account is named as its CRM names it. */
export interface Facts {
  readonly title: string;
  /** The lines below the title, each a label and its text. */
  readonly lines: readonly (readonly [string, string])[];
  /** The path of the page with the details, below PUBLIC_URL. */
  readonly path: string;
  readonly check: Check;
  /** What happens without an answer, if that is not what happens to an action. */
  readonly unanswered?: string;
}

/** Something that happened, or that is the case, of which somebody may be notified. */
export interface Thing {
  readonly event: NotifyEvent;
  /** The identity of the thing: the same key is the same thing, however often it is read. */
  readonly key: string;
  /** Which time it was so, for a thing that can cease to be so and become so again. */
  readonly occasion?: string;
  readonly alarm?: Alarm;
  readonly at: string;
  /** After this time nobody needs it. */
  readonly until: string | null;
  readonly reviewers: readonly string[];
  readonly agents: readonly string[];
  readonly facts: Facts;
}

/** A text that outsiders may have written, as plain words: without e-mail addresses, and nothing in it becomes a link. */
export const inert = (text: string, max = 120): string =>
  withoutAddresses(plainText(text, max), '[address]')
    .replace(/:\/\//g, ':/ /')
    .replace(/(?<=[\p{L}\p{N}])\.(?=\p{L}{2,})/gu, '\u2024')
    .replace(/@/g, '(at)');

const isWord = (text: string): boolean => /^[\w.-]{1,300}$/.test(text);
/** A code is a word for programs. Another service may have written anything there. */
const codeWords = (code: string): string => (isWord(code) ? inert(code) : 'a fault without a code');

/** What a kind of action does. Of a kind without words the name is shown, and it cannot become a link. */
function kindWords(kind: string): string {
  const words = wordsOfKind(kind);
  return words === kind ? kind.replace('.', ': ').replaceAll('_', ' ') : words;
}

/** A name that people gave something, in place of its id. */
const named = (name: string): string => `“${inert(name)}”`;

/** The names of campaigns, by the keys of their profiles. */
export type CampaignNames = ReadonlyMap<string, string>;

/** The keys of the campaigns whose budgets the things in these events may be about. */
export const campaignsIn = (events: readonly Received[]): string[] =>
  events.flatMap(({ event }) =>
    event.type === 'ActionEscalated' || event.type === 'ActionApproved' ? campaignKeys(event.data.action) : [],
  );

/** The things in the events of a batch. Permits that ended unresolved, and controls, are handled where they are written. */
export function thingsIn(events: readonly Received[], campaigns: CampaignNames = new Map()): Thing[] {
  return events.flatMap(({ event }): Thing[] => {
    if (!isTracked(event)) return [];
    switch (event.type) {
      case 'ActionEscalated':
        return [...reviewThings(cardOf(event.data)), ...budgetsOf(event.data, campaigns)];
      case 'TaskEscalated':
        return reviewThings(checkpointOf(event.data));
      case 'ActionApproved':
        return foreign(event.data) ? [] : [...budgetsSpent(event.data, campaigns), ...actedAlone(event.data)];
      case 'DeadLetter':
        return isOwnMessage(event.data) ? [] : [deadLetterThing(event.data)];
      case 'ReplayEnded':
        return event.data.outcome === 'failed' ? [failedAgainThing(event.data)] : [];
      case 'PermitRejected':
        return [rejectedThing(event.data)];
      case 'GapReported':
        return [gapThing(event.data)];
      case 'SignalAccepted':
      case 'SignalRejected':
      case 'TaskAssigned':
      case 'ActionProposed':
      case 'ActionRefused':
      case 'ReviewDecided':
        return [];
      default:
        return event satisfies never;
    }
  });
}

/** A message of ours that could not be sent. A notification about it would fail in the same way, again and again. */
const isOwnMessage = ({ service, job }: DataOf<'DeadLetter'>): boolean =>
  service === 'console' && job !== undefined && job.kind.endsWith('-notifications');

interface Asked {
  readonly subject: { readonly id: string };
  readonly digest: string;
  readonly title: string;
  readonly lines: Facts['lines'];
  readonly at: string;
  readonly deadline: string;
  readonly reviewers: readonly string[];
  readonly agents: readonly string[];
  readonly unanswered?: string;
}

function cardOf(data: DataOf<'ActionEscalated'>): Asked {
  const { action, card } = data;
  const account = card.accountName ?? action.accountId;
  return {
    subject: { id: data.proposalId },
    digest: data.digest,
    title: `${kindWords(action.kind)}${account === undefined ? '' : ` for ${inert(account)}`}`,
    lines: [
      ['What', `${kindWords(action.kind)}, proposed by ${data.agent}`],
      ...(account === undefined ? [] : [['Account', inert(account)] as const]),
      ...(card.money ? [['Money', money(card.money.amountMinor, card.money.currency)] as const] : []),
      ...whyAsked(data.verdict.reasons)
        .slice(0, 3)
        .map((why) => ['Why a person is asked', why] as const),
    ],
    at: data.verdict.at,
    deadline: data.deadline,
    reviewers: data.reviewers,
    agents: [data.agent],
  };
}

function checkpointOf(data: DataOf<'TaskEscalated'>): Asked {
  const account = data.accountName ?? data.accountId;
  const agents = [...new Set(data.tasks.map(({ agent }) => agent))];
  return {
    subject: { id: data.checkpointId },
    digest: data.digest,
    title: `tasks of the play ${named(data.play.title)}${account === undefined ? '' : ` for ${inert(account)}`}`,
    lines: [
      ['What', `${count(data.tasks.length, 'task')} for ${agents.join(', ')}`],
      ...(account === undefined ? [] : [['Account', inert(account)] as const]),
      ['Why a person is asked', `the play ${named(data.play.title)} asks before its agents begin`],
    ],
    at: data.at,
    deadline: data.deadline,
    reviewers: data.reviewers,
    agents,
    unanswered: 'Without an answer by then no task goes out.',
  };
}

function reviewThings(asked: Asked): Thing[] {
  const { subject, digest, title, lines, at, deadline, reviewers, agents, unanswered } = asked;
  const check = { on: 'review', subjectId: subject.id, digest } as const;
  return (['needs-review', 'deadline-near'] as const).map((event) => ({
    event,
    key: `${event} ${subject.id} ${digest}`,
    at,
    until: deadline,
    reviewers,
    agents,
    facts: { title, lines, path: `/reviews/${subject.id}`, check, ...(unanswered !== undefined && { unanswered }) },
  }));
}

const ledgerOf = /^spend:(campaign|ad-account):(.+):(\d{4}-\d{2}-\d{2})$/;

function budgetThing(
  total: { ledger: string; used: number; cap: number; currency: string },
  { at, agent, action }: { at: string; agent: string; action: Action },
  campaigns: CampaignNames,
): Thing[] {
  const { ledger, used, cap, currency } = total;
  const [, holder, id = '', day = ''] = ledgerOf.exec(ledger) ?? [];
  if (cap <= 0 || holder === undefined) return [];
  const { adAccountId } = action.payload;
  const name =
    holder === 'campaign' && typeof adAccountId === 'string'
      ? campaigns.get(profileKey.campaign(adAccountId, id))
      : undefined;
  const limit = `${holder.replace('-', ' ')} ${name === undefined ? inert(id) : named(name)} on ${day}`;
  const budget: Budget = {
    ...{ holder: holder as Budget['holder'], id, day, agent },
    ...{ capMinor: cap, currency, share: used / cap },
  };
  return [
    {
      event: 'budget-nearly-spent',
      key: `budget ${ledger}`,
      occasion: at,
      at,
      until: null,
      reviewers: [],
      agents: [agent],
      facts: {
        title: `${Math.floor((used / cap) * 100)} % of the day's budget of ${limit}`,
        lines: [
          ['Limit', limit],
          ['Spent or held', `${money(used, currency)} of ${money(cap, currency)}`],
        ],
        path: '/',
        check: { on: 'budget', ...budget },
      },
    },
  ];
}

/** The running totals on a card: what is used without the waiting action. */
const budgetsOf = ({ card, verdict, agent, action }: DataOf<'ActionEscalated'>, campaigns: CampaignNames): Thing[] =>
  card.runningTotals.flatMap(({ ledger, held, committed, cap, currency }) =>
    currency === undefined
      ? []
      : budgetThing({ ledger, used: held + committed, cap, currency }, { at: verdict.at, agent, action }, campaigns),
  );

/** What an approval took: its reservation names the limit, and the figures of its rule show how much of it is used. */
const budgetsSpent = (
  { reservations, verdict, agent, action }: DataOf<'ActionApproved'>,
  campaigns: CampaignNames,
): Thing[] =>
  reservations.flatMap(({ ledger, amount, currency }) => {
    const [family, kind] = ledger.split(':');
    const figures = verdict.reasons.find(({ rule }) => family === 'spend' && rule === `spend-cap-${kind}`)?.figures;
    // The figures are in the currency of the cap, which may be another one than that of the amount.
    const { amountMinor = amount, heldMinor, committedMinor, capMinor, currency: limitsIn = currency } = figures ?? {};
    if (typeof heldMinor !== 'number' || typeof committedMinor !== 'number' || typeof capMinor !== 'number') return [];
    if (typeof amountMinor !== 'number' || typeof limitsIn !== 'string' || currency === undefined) return [];
    const used = heldMinor + committedMinor + amountMinor;
    const budget = { ledger, used, cap: capMinor, currency: limitsIn };
    return budgetThing(budget, { at: verdict.at, agent, action }, campaigns);
  });

/** What an agent was allowed to do alone, at the tier at which people are notified of it. */
function actedAlone({
  action,
  agent,
  verdict,
  permitId,
  proposalId,
  notBefore,
  review,
}: DataOf<'ActionApproved'>): Thing[] {
  if (verdict.tier === null || tierOf(verdict.tier) !== 'notify' || review) return [];
  const account = action.accountId;
  return [
    {
      event: 'acted-alone',
      key: `acted-alone ${permitId}`,
      at: verdict.at,
      until: null,
      reviewers: [],
      agents: [agent],
      facts: {
        title: `${kindWords(action.kind)}${account === undefined ? '' : ` for ${inert(account)}`}`,
        lines: [
          ['What', `${kindWords(action.kind)}, by ${agent}`],
          ['When', `it may run from ${notBefore}`],
          ['What to do', 'nothing, if it is right; else stop the agent, or undo the action in the connected system'],
        ],
        path: `/stories/${proposalId}`,
        check: { on: 'nothing' },
      },
    },
  ];
}

const alarmThing = (
  alarm: Alarm,
  key: string,
  at: string,
  facts: Omit<Facts, 'check'> & { readonly check: Check },
): Thing => ({ event: 'alarm', alarm, key: `${alarm} ${key}`, at, until: null, reviewers: [], agents: [], facts });

const letterFacts = (deadLetterId: string, title: string, service: string, code: string): Facts => ({
  title,
  // The text of a fault may quote the request.
  lines: [
    ['Service', service],
    ['Fault', codeWords(code)],
    ['What to do', 'find the cause, mend it, then have it handled again'],
  ],
  path: '/sources/dead-letters',
  check: { on: 'dead-letter', deadLetterId },
});

const deadLetterThing = ({ deadLetterId, service, topic, job, fault, at }: DataOf<'DeadLetter'>): Thing => {
  const title = `${service} could not handle ${job ? `a job (${isWord(job.kind) ? job.kind : 'of unknown kind'})` : `a record of ${isWord(topic) ? topic : 'an unknown topic'}`}`;
  return alarmThing('dead-letter', deadLetterId, at, letterFacts(deadLetterId, title, service, fault.code));
};

/** A person had a dead letter handled again, and it failed again: each such order is a thing of its own. */
const failedAgainThing = ({ deadLetterId, service, orderedAt, fault, at }: DataOf<'ReplayEnded'>): Thing => {
  const title = `${service} could not handle a dead letter that was to be handled again`;
  const facts = letterFacts(deadLetterId, title, service, fault?.code ?? '');
  return alarmThing('dead-letter', `${deadLetterId} ${orderedAt}`, at, facts);
};

const rejectedThing = ({ executor, reason, topic, partition, offset, at }: DataOf<'PermitRejected'>): Thing =>
  alarmThing('rejected-permit', `${executor} ${topic} ${partition} ${offset}`, at, {
    title: `${executor} rejected a permit`,
    lines: [
      ['Executor', executor],
      ['Why', codeWords(reason.code)],
      [
        'What to do',
        'the page Now and `countersign status` list it; a permit that is not genuine means that somebody writes who may not: find out who',
      ],
    ],
    path: '/',
    check: { on: 'nothing' },
  });

/** A service reports its open gaps again at each start: the gap is one thing, and the time is that of its first notice. */
const gapThing = (gap: DataOf<'GapReported'>): Thing => {
  const { service, topic, partition, from, to, noticedAt } = gap;
  const gapId = gapIdOf(gap);
  const end = to === null ? 'the end' : `before ${to}`;
  return alarmThing('gap', gapId, noticedAt, {
    title: `${service} could not read records that it needed: they are lost to it`,
    lines: [
      ['Service', service],
      [
        'Records',
        `${isWord(topic) ? topic : 'an unknown topic'}, partition ${partition}, from offset ${from} to ${end}`,
      ],
      ['What to do', 'the guide says what may be missing and how to restore it; then note on the page what you did'],
    ],
    path: '/runbook/gap',
    check: { on: 'gap', gapId },
  });
};

/** A permit of which nobody knows whether it was executed, reported by the executor of its approval. */
export const unresolvedThing = (permit: {
  readonly permitId: string;
  readonly executor: string;
  readonly connector: string;
  readonly at: string;
}): Thing =>
  alarmThing('unresolved', permit.permitId, permit.at, {
    title: `nobody knows whether ${permit.connector} did what ${permit.executor} asked`,
    lines: [
      ['Executor', permit.executor],
      ['Connected system', permit.connector],
      ['What to do', 'look it up in the connected system, then say whether it was done'],
    ],
    path: '/runbook/hand-back',
    check: { on: 'unresolved', permitId: permit.permitId },
  });

/**
 * The things in a change of a control: the change itself, and that it is not confirmed, if that is still so after a while. Who changed it
 * and why is on the page: the reason is a person's free text. `name`: the title of the play or the name of the account that it concerns.
 */
export function controlThings(
  control: {
    readonly scope: string;
    readonly state: 'stopped' | 'running';
    readonly version: number;
    readonly at: string;
  },
  name?: string,
): Thing[] {
  const { scope, state, version, at } = control;
  const [kind = ''] = scope.split(':');
  const words =
    scope === 'all' ? 'everything' : name === undefined ? inert(scope.replace(':', ' ')) : `the ${kind} ${named(name)}`;
  const nobody = { until: null, reviewers: [], agents: [] };
  const act =
    state === 'stopped'
      ? 'a person stopped it; the page and `countersign controls` say who and why'
      : 'a person ended the stop; the page, under “Lifted lately”, and `countersign controls --lifted` say who and why';
  return [
    {
      event: 'stop',
      key: `control ${scope} ${version}`,
      at,
      ...nobody,
      facts: {
        title: state === 'stopped' ? `${words} was stopped` : `${words} runs again`,
        lines: [['What happened', act]],
        path: '/',
        check: { on: 'control', scope, version },
      },
    },
    alarmThing('not-confirmed', `${scope} ${version}`, at, {
      title: `not every service has confirmed that ${words} ${state === 'stopped' ? 'is stopped' : 'runs again'}`,
      lines: [
        ['What happened', act],
        [
          'What to do',
          state === 'stopped'
            ? 'see on the page which services have not confirmed it: the stop may not hold there'
            : 'see on the page, under “Lifted lately”, which services have not confirmed it: it may still be stopped there',
        ],
      ],
      path: '/',
      check: { on: 'unconfirmed', scope, version },
    }),
  ];
}

/** A message that an operator sends to test a channel. */
export const testThing = (id: string, at: string): Thing => ({
  event: 'test',
  key: `test ${id}`,
  at,
  until: null,
  reviewers: [],
  agents: [],
  facts: {
    title: 'a test of this way to reach you',
    lines: [['What to do', 'nothing: somebody wanted to see that this arrives']],
    path: '/',
    check: { on: 'nothing' },
  },
});
