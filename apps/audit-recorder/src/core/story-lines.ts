import {
  type Action,
  actionDetail,
  type CampaignFacts,
  type DataOf,
  type EventType,
  modelUseDetail,
  money,
  own,
} from '@countersign/contracts';
import { type Names, namesIn } from './names.js';
import { type Recorded, timeOf } from './story.js';
import { changeText, factsText, listed } from './words.js';

/** One line of a story: when, what kind of thing, and what happened in plain words. */
export interface Line {
  readonly at: string;
  readonly what: string;
  readonly detail: string;
}

type Sentences = readonly (readonly [what: string, detail: string])[];
type Describer<T extends EventType> = (data: DataOf<T>, names: Names) => Sentences;

/**
 * The story of records, in order. Its sentences come only from the events' contents. It draws no conclusions and uses no model.
 */
export function storyLines(records: readonly Recorded[]): Line[] {
  const firstByName = new Map<string, Recorded>();
  const answered = new Set(records.flatMap(signalName));
  const names = namesIn(records);
  const lines: Line[] = [];
  for (const record of records) {
    const name = JSON.stringify([record.topic, record.source, record.id]);
    const before = record.id === null ? undefined : firstByName.get(name);
    firstByName.set(name, before ?? record);
    for (const [what, detail] of before ? twin(before, record) : describe(record, answered, names)) {
      lines.push({ at: timeOf(record), what, detail });
    }
  }
  return lines;
}

/** The title of a story: the action and its state, the play with its actions, or the first thing that happened. */
export function titleOf(id: string, records: readonly Recorded[]): string {
  const proposals = eventsOf(records, 'ActionProposed');
  const settled = eventsOf(records, 'ActionSettled').at(-1);
  const verdicts = records.flatMap(({ event }) =>
    event && ['ActionApproved', 'ActionRefused', 'ActionEscalated'].includes(event.type)
      ? [(event.data as DataOf<'ActionApproved'>).verdict.outcome]
      : [],
  );
  const ids = new Set(proposals.map((p) => p.proposalId));
  const [proposal] = proposals;
  if (proposal && ids.size === 1) {
    const standing = settled?.outcome ?? verdicts.at(-1) ?? 'not judged yet';
    return `${proposal.agent}: ${actionText(proposal.action, namesIn(records))} (${standing})`;
  }
  const task = eventsOf(records, 'TaskAssigned')[0];
  if (task) return `${task.play.title}: ${count(ids.size, 'action')} proposed`;
  const waits = eventsOf(records, 'TaskEscalated')[0];
  if (waits) {
    const held = eventsOf(records, 'TaskWithheld')[0];
    return `${waits.play.title}: ${held ? 'no task went out' : `waits for ${listed(waits.reviewers)}`}`;
  }
  const signal = eventsOf(records, 'SignalAccepted')[0];
  if (signal) return `${signal.type} from ${signal.source}`;
  const first = records[0];
  if (!first) return `nothing on record has the id ${id}`;
  return `${first.event?.type ?? 'a record'} on ${first.topic}`;
}

const eventsOf = <T extends EventType>(records: readonly Recorded[], type: T): DataOf<T>[] =>
  records.flatMap(({ event }) => (event?.type === type ? [event.data as DataOf<T>] : []));

/** Source and id of a signal that was answered. The arrival of such a signal needs no line of its own. */
const signalName = ({ event }: Recorded): string[] => {
  if (event?.type !== 'SignalAccepted' && event?.type !== 'SignalRejected') return [];
  const { source, signalId } = event.data as DataOf<'SignalRejected'>;
  return [JSON.stringify([source, signalId])];
};

function twin(first: Recorded, again: Recorded): Sentences {
  const place = `${again.topic} ${again.partition}/${again.offset}`;
  return first.sha256 === again.sha256
    ? []
    : [
        [
          'twin',
          `another record with the id ${again.id} and other content stands at ${place}; only one of them was obeyed`,
        ],
      ];
}

function describe(record: Recorded, answered: ReadonlySet<string>, names: Names): Sentences {
  const { event, kept, topic, fault } = record;
  if (kept !== 'event') {
    if (answered.has(JSON.stringify([record.source, record.id]))) return [];
    return [
      [
        'arrival',
        `${record.id ?? 'a record'} from ${record.source ?? 'nobody'} arrived on ${topic}; its content is not kept`,
      ],
    ];
  }
  if (!event) return [['unreadable', `a record on ${topic} that no service obeyed${fault ? `: ${fault.detail}` : ''}`]];
  const describer = own(describers as Readonly<Record<string, Describer<never>>>, event.type);
  if (!describer) return [];
  return [...describer(event.data as never, names), ...seenLine(event.type, event.data)];
}

/** What a person saw before their act, if the event says it. An answer to a review says it in members of its own. */
function seenLine(type: string, data: unknown): Sentences {
  const { by, seen, digest, lookedMs } = data as Partial<DataOf<'SettlementDecided'> & DataOf<'ReviewDecided'>>;
  const sight =
    seen ?? (type === 'ReviewDecided' && digest && lookedMs !== undefined ? { digest, lookedMs } : undefined);
  if (sight === undefined) return [];
  const seconds = Math.round(sight.lookedMs / 1_000);
  return [['seen', `${by} had what it concerns in sight for ${seconds} s, digest ${sight.digest.slice(0, 12)}…`]];
}

const describers: { readonly [T in EventType]: Describer<T> } = {
  SignalAccepted: (d, names) => {
    const about = subjectText(d, d.contactId === undefined ? [] : [d.contactId], names);
    const facts = factsText(d.facts);
    return [
      [
        'signal',
        `${d.type} from ${d.source}${about && ` about ${about}`}${facts && `: ${facts}`} (quality ${d.quality.score} of 100${d.triggers ? '' : '; too old to start a play'})`,
      ],
      ...(d.leftOut ?? []).map(({ detail }): Sentences[number] => ['signal', `left out, the rest counts: ${detail}`]),
      ...(d.joined === undefined
        ? []
        : [
            [
              'signal',
              `contact ${d.joined} is the same person and was joined into ${d.contactId === undefined ? 'another' : names.contact(d.contactId)}`,
            ] as const,
          ]),
    ];
  },
  SignalRejected: (d) => [
    ['signal', `${d.type ?? 'a signal'} from ${d.source} was rejected: ${listed(d.reasons.map((r) => r.detail))}`],
  ],
  ProfileChanged: (d) => [['profile', `${profileText(d)} (version ${d.version})`]],
  ConsentsChanged: (d, names) => {
    const entries = d.entries.map((e) => `${e.purpose} by ${e.channel} ${e.status}`);
    const suppressed = d.suppressions.map((s) => `${s.channel} suppressed (${s.reason})`);
    return [
      [
        'consent',
        `${names.contact(d.contactId)}: ${listed([...entries, ...suppressed]) || 'nothing agreed to'} (version ${d.version})`,
      ],
    ];
  },
  // Stored only as a commitment, so it never comes here with content.
  ContactPointsChanged: () => [],
  ControlChanged: (d) => [['control', `${d.by} set ${d.scope} to ${d.state}: ${d.reason}`]],
  PolicyPublished: (d) => [
    ['policy', `${d.by} published version ${d.version} of the policy (${d.digest.slice(0, 12)}…)`],
  ],
  TaskAssigned: (d, names) => {
    const about = subjectText(d, d.contactIds, names);
    return [
      [
        'play',
        `the play "${d.play.title}" gave ${d.agent} a task: ${d.purpose}${about && `; about ${about}`}; allowed: ${listed(d.kinds)}; due ${d.dueAt}`,
      ],
      ...d.evidence.map((e) => {
        const about = e.contactId === undefined ? '' : `; about ${names.contact(e.contactId, d.accountId)}`;
        return ['evidence', `${e.occurredAt}: ${e.detail}${about}`] as const;
      }),
    ];
  },
  TaskSettled: (d) => [
    [
      'task',
      d.outcome === 'declined'
        ? `${d.agent} declined the task: ${d.reason}`
        : `${d.agent} answered the task with ${count(d.proposalIds.length, 'proposal')}: ${d.reason}`,
    ],
    ...(d.model === undefined ? [] : [['model', modelUseDetail(d.model)] as const]),
  ],
  TaskEscalated: (d, names) => {
    const about = d.accountId === undefined ? '' : `, about ${names.account(d.accountId)}`;
    const what = `the play "${d.play.title}" waits for ${listed(d.reviewers)} until ${d.deadline}${about}: ${d.detail}`;
    return [['checkpoint', what]];
  },
  TaskWithheld: (d) => [['checkpoint', `no task of the play "${d.play.title}" goes out: ${d.reason.detail}`]],
  TaskReviewSetAside: (d) => [['review', setAsideText(d)]],
  ActionProposed: (d, names) => [
    [
      'proposal',
      `${d.agent} proposed to ${actionText(d.action, names)}, confidence ${Math.round(d.confidence * 100)} %`,
    ],
    ['rationale', `in the agent's own words (${planner(d.planner)}): “${d.rationale}”`],
    ...d.alternatives.map((a) => ['alternative', `considered and left: ${a.detail} (${a.rejectedBecause})`] as const),
  ],
  ActionApproved: (d, names) => [
    [
      'verdict',
      `approved under policy version ${d.verdict.policy.version}${by(d.review)}${tierText(d.verdict)}: ${actionText(d.action, names)}`,
    ],
    ...reasons(d.verdict),
    [
      'permit',
      `permit ${d.permitId}: ${d.executor}/${d.connector} may run it once, from ${d.notBefore} to ${d.expiresAt}${holds(d.reservations)}`,
    ],
  ],
  ActionRefused: (d, names) => [
    [
      'verdict',
      `refused under policy version ${d.verdict.policy.version}${by(d.review)}${tierText(d.verdict)}: ${d.action ? actionText(d.action, names) : d.kind}${d.shadowOutcome ? `; it is only observed, else it would have been ${d.shadowOutcome}` : ''}${d.supersededBy ? `; action ${d.supersededBy} takes its place` : ''}`,
    ],
    ...reasons(d.verdict),
  ],
  ActionEscalated: (d, names) => [
    [
      'verdict',
      `needs a person, ${listed(d.reviewers)}, until ${d.deadline}${tierText(d.verdict)}: ${actionDetail(d.action, (id) => names.contact(id)) ?? d.card.detail}`,
    ],
    ...reasons(d.verdict),
  ],
  ReviewSetAside: (d) => [['review', setAsideText(d)]],
  DryRunAsked: (d, names) => [['dry run', `${d.by} asked what verdict it would have: ${actionText(d.action, names)}`]],
  DryRunJudged: (d) => [['dry run', `it would have been ${d.outcome}`]],
  ReviewDecided: (d, names) => {
    const note = d.note ? `, noting “${d.note}”` : '';
    const act = {
      approve: 'approved it',
      reject: 'rejected it',
      edit: `changed it to: ${d.action ? actionText(d.action, names) : ''}`,
    }[d.decision];
    return [['review', `${d.by} ${act}${note}`]];
  },
  ActionSettled: (d) => {
    const change = changeText(d.before ?? {}, d.after ?? {});
    const parts = [
      `${d.outcome} by ${d.executor}/${d.connector}`,
      d.externalReference && `there called ${d.externalReference}`,
      d.reason?.detail,
      change,
    ];
    return [['effect', parts.filter(Boolean).join('; ')]];
  },
  SettlementDecided: (d) => [
    ['decision', `${d.by} found that it ${d.outcome === 'executed' ? 'was executed' : 'failed'}, noting “${d.note}”`],
  ],
  PermitRejected: (d) => [['permit', `${d.executor} did not accept a permit: ${d.reason.detail}`]],
  DeadLetter: (d) => [
    [
      'dead letter',
      d.job
        ? `${d.service} could not work the job ${d.job.kind} ${d.job.id}: ${d.fault.detail}`
        : `${d.service} could not handle ${d.type ?? 'a record'} from ${d.topic} ${d.partition}/${d.offset}: ${d.fault.detail}`,
    ],
  ],
  DeadLetterReplayed: (d) => [
    ['dead letter', `${d.by} had ${d.service} handle it again${d.note === undefined ? '' : `, noting “${d.note}”`}`],
  ],
  ReplayEnded: (d) => [['dead letter', endText(d)]],
  GapReported: (d) => [['gap', `${d.service} cannot read ${recordsText(d)} of ${d.topic}/${d.partition}`]],
  GapAcknowledged: (d) => [
    [
      'gap',
      `${d.by} knows that ${d.service} cannot read ${recordsText(d)} of ${d.topic}/${d.partition}, noting “${d.note}”`,
    ],
  ],
  AcknowledgementEnded: (d) => [
    [
      'gap',
      d.outcome === 'closed'
        ? `${d.service} closed its gap of ${d.topic}/${d.partition}`
        : `${d.service} has no open gap of ${d.topic}/${d.partition} from offset ${d.from} on`,
    ],
  ],
  SessionsEnded: (d) => [
    ['sessions', `${d.by} signed ${d.person} out, with the reason “${d.reason}”`],
    ...(d.newAccount ? [['account', `another account may sign in as ${d.person}`] as const] : []),
  ],
  RevealRequested: (d, names) => [
    [
      'reveal',
      `${d.by} asked for ${listed(d.fields)} of ${names.contact(d.contactId)}, purpose ${d.purpose}, noting “${d.note}”`,
    ],
  ],
  RevealAnswered: (d, names) => [
    [
      'reveal',
      d.outcome === 'sealed'
        ? `${listed(d.fields)} of ${names.contact(d.contactId)} was sealed to whoever asked; the record does not have it`
        : `nothing of ${names.contact(d.contactId)} was revealed${d.reason ? `: ${d.reason.detail}` : ''}`,
    ],
  ],
  // Stored only as a commitment, so it never comes here with content.
  RevealSealed: () => [],
  RecordPassRequested: (d) => [
    ['record', `${d.by} asked to read the whole record, to ${d.use} it, with the purpose “${d.purpose}”`],
  ],
  InspectionStarted: (d) => [['inspection', `${d.by} began ${inspectionText(d.kind)}`]],
  InspectionEnded: (d) => [['inspection', `${inspectionText(d.kind)} of ${d.by} ${inspectionEndText(d)}`]],
  ControlConfirmed: (d) => [['confirmed', `a reader goes by version ${d.version} of the control ${d.scope}`]],
  CheckpointPublished: (d) => [['checkpoint', `the record's first ${count(d.size, 'leaf', 'leaves')} were signed`]],
};

const setAsideText = ({ by, reason }: DataOf<'ReviewSetAside'> | DataOf<'TaskReviewSetAside'>): string =>
  `an answer of ${by} had no effect: ${reason.detail}`;

const inspectionText = (kind: DataOf<'InspectionStarted'>['kind']): string =>
  kind === 'invariants' ? 'an audit of the invariants' : 'a probe of the gate';
function inspectionEndText({ outcome, checks }: DataOf<'InspectionEnded'>): string {
  const findings = checks.reduce((sum, check) => sum + check.findings, 0);
  switch (outcome) {
    case 'clean':
      return `ended: ${count(checks.length, 'check', 'checks')}, nothing found`;
    case 'findings':
      return `ended: ${count(findings, 'finding', 'findings')} in ${count(checks.length, 'check', 'checks')}`;
    case 'broken':
      return 'could not be finished';
  }
}

function endText({ service, outcome, fault }: DataOf<'ReplayEnded'>): string {
  switch (outcome) {
    case 'handled':
      return `${service} handled it`;
    case 'scheduled':
      return `${service} works the job again`;
    case 'failed':
      return `it failed in ${service} again${fault ? `: ${fault.detail}` : ''}`;
  }
}

const recordsText = ({ from, to }: Pick<DataOf<'GapReported'>, 'from' | 'to'>): string =>
  to === null ? `anything from offset ${from} on` : `the records from offset ${from} to ${to - 1}`;

function profileText(d: DataOf<'ProfileChanged'>): string {
  switch (d.kind) {
    case 'account': {
      const { name, tier, industry, country } = d;
      const facts = factsText(defined({ name, tier, industry, country }));
      return `account ${d.accountId}: ${facts || 'nothing known yet'}, ${count(d.signals, 'signal')} so far`;
    }
    case 'contact': {
      const { accountId, seniority, jobFunction, firstTouchedAt, lastEngagedAt } = d;
      const facts = factsText(defined({ account: accountId, seniority, jobFunction, firstTouchedAt, lastEngagedAt }));
      return `contact ${d.contactId}: ${facts}, ${count(d.signals, 'signal')} so far`;
    }
    case 'ad-account': {
      const campaigns = Object.values(d.campaigns).map((c) => campaignText(c, d.currency));
      const more = campaigns.length > 10 ? `; and ${campaigns.length - 10} more` : '';
      return `ad account ${d.adAccountId} in ${d.currency}${campaigns.length > 0 ? `: ${campaigns.slice(0, 10).join('; ')}` : ''}${more}`;
    }
    case 'campaign':
      return `campaign ${campaignText(d, d.currency)}, of ad account ${d.adAccountId}`;
    default:
      return d satisfies never;
  }
}

function campaignText({ campaignId, status, dailyBudgetMinor, days }: CampaignFacts, currency: string): string {
  const budget = dailyBudgetMinor === undefined ? '' : `, ${money(dailyBudgetMinor, currency)} a day`;
  const [spend, revenue] = (['spendMinor', 'revenueMinor'] as const).map((figure) =>
    days.reduce((sum, day) => sum + day[figure], 0),
  ) as [number, number];
  const returned =
    spend > 0 ? `, return ${Math.round((revenue / spend) * 100)} % over ${count(days.length, 'day')}` : '';
  return `${campaignId} ${status}${budget}${returned}`;
}

const actionText = (action: Action, names: Names): string =>
  actionDetail(action, (id) => names.contact(id)) ?? action.kind;

const mostNamed = 3;

/** What a signal or a task is about: account, contacts (their number if there are many), campaign. Empty if there is none. */
function subjectText(
  {
    accountId,
    adAccountId,
    campaignId,
  }: Partial<Pick<DataOf<'TaskAssigned'>, 'accountId' | 'adAccountId' | 'campaignId'>>,
  contactIds: readonly string[],
  names: Names,
): string {
  const people =
    contactIds.length > mostNamed
      ? [count(contactIds.length, 'contact')]
      : contactIds.map((id) => names.contact(id, accountId));
  return [
    ...(accountId === undefined ? [] : [names.account(accountId)]),
    ...(campaignId === undefined ? [] : [`campaign ${campaignId}`]),
    ...(adAccountId === undefined ? [] : [`ad account ${adAccountId}`]),
    ...people,
  ].join(', ');
}

const reasons = (verdict: DataOf<'ActionApproved'>['verdict']): Sentences =>
  verdict.reasons.map((r) => [
    'rule',
    `${r.rule} ${{ pass: 'passes', escalate: 'asks for a person', refuse: 'refuses' }[r.outcome]}: ${r.detail}`,
  ]);

/** The tier and what decided it. An older verdict does not say what did. */
const tierText = ({ tier, tierBy }: DataOf<'ActionApproved'>['verdict']): string =>
  tier !== null && tierBy !== undefined ? `, at the tier ${tier} (${tierBy})` : '';

const by = (review: DataOf<'ActionApproved'>['review']): string => (review ? `, as ${review.by} answered` : '');

const holds = (reservations: DataOf<'ActionApproved'>['reservations']): string =>
  reservations.length === 0
    ? ''
    : `; it holds ${listed(reservations.map((r) => `${r.currency ? money(r.amount, r.currency) : r.amount} of ${r.ledger}`))}`;

const planner = (p: DataOf<'ActionProposed'>['planner']): string =>
  `${p.kind} ${p.name}${p.fallback ? `, because the model did not answer: ${p.fallback}` : ''}`;

const count = (n: number, singular: string, many = `${singular}s`): string => `${n} ${n === 1 ? singular : many}`;

const defined = (facts: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
