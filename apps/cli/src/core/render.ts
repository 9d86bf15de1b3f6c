import {
  type Card,
  type Confirmed,
  type Control,
  clock,
  count,
  type DeadLetterRow,
  distance,
  type Funnel,
  type Health,
  type Now,
  type Paint,
  type Participants,
  printable,
  printableLines,
  type ReviewResult,
  type Run,
  type Story,
  type Task,
  table,
  tally,
  titled,
  type UnresolvedPermit,
  wrap,
} from '@countersign/client/core';
import { accountText, contactText, money } from '@countersign/contracts';
import type { RecordReport } from '@countersign/record';
import { type CampaignKnown, ledgerWords } from './ledger.js';
import { nameAndId, withNames } from './names.js';
import { scopeName } from './scope.js';
import { isAside, shortStory } from './story.js';

/** Answers of the services as text for a person: pure functions of the answer, whose texts are made harmless first. */

const WIDTH = 100;

export function statusText(paint: Paint, now: Now, participants: Participants | undefined, health: readonly Health[]) {
  const beside = [ratesText(now), waitingText(now), spendText(now), rejectedText(now)].filter((text) => text !== '');
  const parts = [funnelText(paint, now.funnel), ...beside, controlsText(paint, now.stops)];
  if (participants) parts.push(participantsText(participants));
  return [...parts, healthText(paint, health)].join('\n\n');
}

const participantsText = (participants: Participants): string =>
  table(Object.entries(printable(participants)).map(([what, names]) => [what, names.join(', ')]));

export function funnelText(paint: Paint, funnel: Funnel): string {
  const f = printable(funnel);
  const beside = (counts: Record<string, number>) => (Object.keys(counts).length > 0 ? `(${tally(counts)})` : '');
  const { executed, ...otherEnds } = f.settled;
  const ends = Object.fromEntries(Object.entries(otherEnds).filter(([, n]) => n > 0));
  const rows: [string, number, string][] = [
    ['signals accepted', f.signals.accepted, ''],
    ['  rejected', f.signals.rejected, beside(f.signals.rejectedBy)],
    ['tasks assigned', f.tasks.assigned, f.tasks.declined > 0 ? `(declined ${f.tasks.declined})` : ''],
    ['proposals', f.proposals.total, beside(f.proposals.byAgent)],
    ['  approved', f.verdicts.approved, ''],
    ['  refused', f.verdicts.refused, beside(f.verdicts.refusedBy)],
    [
      '  escalated',
      f.verdicts.escalated,
      f.reviews.open > 0 ? `(${f.reviews.open} open: countersign review list)` : '',
    ],
    ['settled executed', executed, beside(ends)],
  ];
  if (f.permitsRejected.total > 0)
    rows.push(['permits rejected', f.permitsRejected.total, beside(f.permitsRejected.by)]);
  if (f.unresolved.open > 0) rows.push(['unresolved', f.unresolved.open, 'wait for a person: countersign unresolved']);
  if (f.deadLetters.open > 0) {
    rows.push([
      'dead letters open',
      f.deadLetters.open,
      `${beside(f.deadLetters.byService)} countersign dead-letters list`,
    ]);
  }
  const digits = Math.max(...rows.map(([, n]) => String(n).length));
  return table(
    rows.map(([name, n, more]) => [name, String(n).padStart(digits), more]),
    (cell, column) => (column === 1 ? paint.bold(cell) : column === 2 ? paint.dim(cell) : cell),
  );
}

/** The rates of the last hour; empty if nothing happened. */
function ratesText(now: Now): string {
  const moving = printable(now.rates).filter(({ lastHour }) => lastHour > 0);
  return table(
    moving.map(({ stage, lastMinute, lastHour }) => [
      stage,
      `${lastHour} in the last hour`,
      `${lastMinute} in the last minute`,
    ]),
  );
}

function waitingText({ waiting, at }: Now): string {
  const kinds = [
    ['reviews wait', waiting.reviews],
    ['unresolved wait', waiting.unresolved],
    ['dead letters wait', waiting.deadLetters],
    ['gaps wait', waiting.gaps],
  ] as const;
  return table(
    kinds.flatMap(([name, { count: n, oldestAt }]) =>
      n === 0 ? [] : [[name, String(n), oldestAt === null ? '' : `the oldest came ${distance(oldestAt, at)}`]],
    ),
  );
}

/** Today's money against the daily caps, the nearest to its cap first. */
function spendText({ spend }: Now): string {
  const rows = (kind: string, figures: Now['spend']['campaigns']) =>
    printable(figures).map((figure) => [
      `${kind} ${nameAndId(figure.id, figure.name)}`,
      `${money(figure.committedMinor, figure.currency)} spent, ${money(figure.heldMinor, figure.currency)} reserved today`,
      figure.capMinor === null ? '' : `of ${money(figure.capMinor, figure.currency)}`,
    ]);
  return table([...rows('ad account', spend.adAccounts), ...rows('campaign', spend.campaigns)]);
}

/** The permits that an executor rejected lately, by executor and reason; empty if there are none. */
function rejectedText({ permitsRejected, at }: Now): string {
  return table(
    printable(permitsRejected?.first ?? []).map(({ detail, count: n, lastAt, proposalId }) => [
      detail,
      n === 1 ? 'once' : `${n} times`,
      `the last ${distance(lastAt, at)}`,
      proposalId === null ? '' : `countersign show ${proposalId}`,
    ]),
  );
}

export function controlsText(paint: Paint, controls: readonly Control[]): string {
  const stopped = printable(controls).filter((control) => control.state === 'stopped');
  if (stopped.length === 0) return paint.green('Nothing is stopped.');
  return stopped.map((c) => `${paint.red('STOPPED')}  ${controlLine(paint, c)}`).join('\n');
}

/** The stops that were lifted, a line for each. */
export const liftedText = (paint: Paint, controls: readonly Control[]): string =>
  printable(controls)
    .map((c) => `LIFTED  ${controlLine(paint, c)}`)
    .join('\n');

function controlLine(paint: Paint, { scope, name, by, changedAt, reason, confirmed, notConfirmedBy }: Control): string {
  const open = confirmed ? '' : paint.yellow(`  NOT CONFIRMED by ${notConfirmedBy.join(', ')}`);
  return `${name ? scopeName(scope, name) : scope}  by ${by} at ${clock(changedAt)}: ${reason}${open}`;
}

/** Which readers follow a control now, and what to do if not all do. */
export function confirmedText(paint: Paint, given: Confirmed): string {
  const { confirmed, confirmedBy, notConfirmedBy, unknown } = printable(given);
  const strange =
    unknown.length > 0
      ? ` ${unknown.join(', ')}: an executor of another team, which runs elsewhere and has never confirmed a control. It must refuse what a stop ended; ask the people who run it.`
      : '';
  if (confirmed)
    return confirmedBy.length === 0
      ? 'No service has to confirm it.'
      : `Confirmed by ${confirmedBy.join(', ')}.${strange}`;
  return `${paint.yellow(`NOT CONFIRMED by ${notConfirmedBy.join(', ')}`)}: the control is published, but these services may not apply it yet. \`countersign controls --lifted\` says whether they have confirmed it since. \`countersign status\` says whether the services run; the health page of the console says whether another program writes controls.${strange}`;
}

export const healthText = (paint: Paint, health: readonly Health[]): string =>
  table(
    printable(health).map(({ service, status, url, wrong }) => [service, status, url, wrong.join('; ')]),
    (cell, column) => (column === 1 ? (cell.trim() === 'ok' ? paint.green(cell) : paint.red(cell)) : cell),
  );

/** The state of a card in words. A checkpoint is about tasks, and no rule judges it. */
export function stateText({ subject, state, ending }: Pick<Card, 'subject' | 'state' | 'ending'>): string {
  if (subject === 'proposal') return state;
  if (state === 'approved') return 'tasks went out';
  if (state === 'refused') return ending?.outcome === 'suppressed' ? 'approved, no task went out' : 'rejected';
  return state;
}

export function cardsText(paint: Paint, cards: readonly Card[], now: string): string {
  if (cards.length === 0) return 'Nothing to review. Closed reviews too: countersign review list --all';
  return titled(
    paint,
    ['id', 'state', 'deadline', 'reviewers', 'what'],
    printable(cards).map((c) => [
      ...[c.id, stateText(c), distance(c.deadline, now), c.reviewers.join(',')],
      withNames(c.detail, c.facts.campaigns),
    ]),
  );
}

const campaignText = (id: string, campaigns: readonly CampaignKnown[] = []): string =>
  nameAndId(id, campaigns.find(({ campaignId }) => campaignId === id)?.name);

/** Facts first. The agent's words stand below them, quoted and marked. */
export function cardText(paint: Paint, given: Card, now: string): string {
  const card = printable(given);
  const { facts } = card;
  const rows: string[][] = [];
  const row = (name: string, value: string | null | undefined) => {
    if (value) rows.push([`  ${name}`, value]);
  };
  const { account, accountId } = facts;
  row('account', account && accountId && account !== accountId ? accountText(accountId, account) : account);
  row('money', facts.money && money(facts.money.amountMinor, facts.money.currency));
  for (const person of facts.people ?? []) row('people', contactText(person.contactId, person));
  row('regions', card.regions?.map((region) => `${region.country} (${region.of})`).join(', '));
  for (const total of facts.runningTotals ?? []) row('limit', totalText(total, facts.campaigns));
  row('reversible', facts.reversible);
  row('play', `${card.play.title} (${card.play.id})`);
  row('agent', facts.agent && `${facts.agent}, ${facts.kind}`);
  if (card.subject === 'checkpoint') {
    row('campaign', facts.campaignId && campaignText(facts.campaignId, facts.campaigns));
    row('ad account', facts.adAccountId);
    row('contacts', facts.contacts ? String(facts.contacts) : null);
  }
  for (const { agent, purpose, kinds, may = kinds.join(', '), has } of facts.tasks ?? [])
    row('task', `${purpose}: ${agent} may ${may}${has === undefined ? '' : `, and has ${has}`}`);
  for (const reason of facts.whyAsked ?? [])
    row('why asked', `${withNames(reason.detail, facts.campaigns)} [${reason.rule}]`);
  row('tier', facts.tier?.detail);
  for (const evidence of facts.evidence) row('evidence', `${clock(evidence.occurredAt)} ${evidence.detail}`);
  row('reviewers', card.reviewers.join(', '));
  row('deadline', `${clock(card.deadline)} (${distance(card.deadline, now)})`);
  const lines = [
    `${paint.bold(withNames(card.detail, facts.campaigns))}  ${card.state === 'open' ? paint.yellow('open') : stateText(card)}`,
    table(rows, (cell, column) => (column === 0 ? paint.dim(cell) : cell)),
  ];
  if (given.action) {
    lines.push(`  ${paint.dim('payload')}
${payloadText(given.action.payload)}`);
  }
  if (card.agentSays) {
    const { quote, confidence, alternatives = [], marked } = card.agentSays;
    const left = alternatives.map(
      ({ detail, rejectedBecause }) => `considered and left: “${detail}”, because “${rejectedBecause}”`,
    );
    lines.push(
      `  ${paint.dim(`${facts.agent} says (${marked}; confidence ${confidence})`)}`,
      ...[`“${quote}”`, ...left].map((text) => wrap(text, WIDTH, '    ')),
    );
  }
  for (const answer of card.answers ?? []) lines.push(`  ${answerText(answer)}`);
  const { stops = [], approving = card.approving } = card.underStop ?? {};
  for (const { scope, name, by, reason } of stops)
    lines.push(`  ${paint.red(`${by} stopped ${scopeName(scope, name)}: ${reason}`)}`);
  if (card.state === 'open')
    for (const text of [approving, card.unanswered]) if (text !== undefined) lines.push(`  ${paint.yellow(text)}`);
  if (card.ending) {
    const { reason, next, at } = card.ending;
    lines.push(`  ${paint.yellow(`No task goes out: ${reason.detail} (${clock(at)}). ${next}`)}`);
  }
  lines.push(paint.dim(`  ${card.subject} ${card.id}\n  digest ${card.digest}`));
  return lines.join('\n');
}

/** Texts of several lines stand below the others, with a mark on each line. */
function payloadText(payload: Record<string, unknown>): string {
  const isLong = (value: unknown): value is string => typeof value === 'string' && value.includes('\n');
  const short = Object.entries(payload).filter(([, value]) => !isLong(value));
  const long = Object.entries(payload).filter(([, value]) => isLong(value)) as [string, string][];
  return [
    table(short.map(([name, value]) => [`    ${printable(name)}`, printable(scalar(value))])),
    ...long.map(
      ([name, value]) => `    ${printable(name)}\n${wrap(printableLines(value).trimEnd(), WIDTH, '      | ')}`,
    ),
  ].join('\n');
}

const answerText = (answer: NonNullable<Card['answers']>[number]): string =>
  `${answer.by} answered ${answer.decision} at ${clock(answer.at)}${answer.note ? `: ${answer.note}` : ''}${
    answer.setAside ? `; set aside: ${answer.setAside.detail}` : ''
  }`;

export function totalText(
  t: NonNullable<Card['facts']['runningTotals']>[number],
  campaigns?: readonly CampaignKnown[],
): string {
  const show = (n: number) => (t.currency ? money(n, t.currency) : String(n));
  return `${ledgerWords(t.ledger, campaigns)}: ${show(t.committed)} used, ${show(t.held)} held, of ${show(t.cap)}`;
}

/** One value on one line, strings bare. */
export const scalar = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? 'absent');

export const changesText = (
  paint: Paint,
  changes: readonly { path: string; before: unknown; after: unknown }[],
): string =>
  printable(changes)
    .flatMap(({ path, before, after }) => [
      ...(before === undefined ? [] : [paint.red(`- ${path}: ${scalar(before)}`)]),
      ...(after === undefined ? [] : [paint.green(`+ ${path}: ${scalar(after)}`)]),
    ])
    .join('\n');

export function resultText(paint: Paint, given: ReviewResult, campaigns?: readonly CampaignKnown[]): string {
  const result = printable(given);
  const tint = { waiting: paint.yellow, 'set-aside': paint.red, refused: paint.red, withheld: paint.red } as Record<
    string,
    Paint['red']
  >;
  return `${(tint[result.state] ?? paint.green)(withNames(result.detail, printable(campaigns)))}\n${paint.dim(`review ${result.reviewId}`)}`;
}

/** The format of a story: `all` its lines, or the short one; times in UTC, or as `time` shows them. */
export interface StoryFormat {
  readonly all?: boolean | undefined;
  readonly time?: ((instant: string) => string) | undefined;
}

export function storyText(paint: Paint, given: Story, { all = false, time = clock }: StoryFormat = {}): string {
  const { id, title, lines: every } = printable(given);
  const { lines, hidden } = all ? { lines: every, hidden: 0 } : shortStory(every);
  const shown = table(
    lines.map(({ at, what, detail }) => [time(at), what, detail]),
    (cell, column, row) => {
      const line = lines[row];
      if (column === 0 || (line && isAside(line))) return paint.dim(cell);
      return column === 1 ? paint.bold(cell) : cell;
    },
  );
  const more = hidden > 0 ? `\n${paint.dim(`${hidden} lines are left out: countersign show ${id} --all`)}` : '';
  return `${paint.bold(title)}\n${shown}${more}`;
}

export function runsText(paint: Paint, runs: readonly Run[]): string {
  if (runs.length === 0) return 'No play has run. What starts each play: countersign plays';
  return titled(
    paint,
    ['run', 'play', 'for', 'state', 'at', 'reason'],
    printable(runs).map((r) => [
      r.runId,
      nameAndId(r.playId, r.title),
      scalar(r.subject.campaignId ?? r.subject.accountId ?? r.subject),
      r.state,
      clock(r.at),
      r.reason ?? '',
    ]),
  );
}

export function tasksText(paint: Paint, tasks: readonly Task[]): string {
  if (tasks.length === 0) return 'No tasks.';
  return printable(tasks)
    .map((t) =>
      [
        `${t.taskId}  ${paint.bold(t.agent)}  ${t.state}  ${t.purpose}${t.reason ? paint.dim(`  ${t.reason}`) : ''}`,
        ...t.proposals.map(
          (p) => `  proposal ${p.proposalId}  ${p.outcome}${p.reason ? paint.dim(`  ${p.reason}`) : ''}`,
        ),
      ].join('\n'),
    )
    .join('\n');
}

export function unresolvedText(paint: Paint, rows: readonly UnresolvedPermit[]): string {
  if (rows.length === 0) return paint.green('No permit is unresolved.');
  return titled(
    paint,
    ['permit', 'connected system', 'since', 'reason'],
    printable(rows).map((p) => [
      p.permitId,
      `${p.executor}/${p.connector}`,
      clock(p.at),
      `${p.detail ?? ''}${p.decision ? ` (${p.decision.by} decided: ${p.decision.outcome})` : ''}`,
    ]),
  );
}

export function decisionText(paint: Paint, given: UnresolvedPermit): string {
  const p = printable(given);
  if (!p.decision) return `Permit ${p.permitId} is ${p.outcome}; nobody has decided it.`;
  const { by, at, outcome, note } = p.decision;
  const settled = p.outcome === 'unresolved' ? `${p.executor} has not settled it yet` : `settled ${p.outcome}`;
  return `${by} decided at ${clock(at)} that the outcome is ${paint.bold(outcome)}, with the note “${note}”: ${settled}.`;
}

/** The outcome of the last order. */
function endText({ state, replayed, endedAt }: DeadLetterRow): string {
  const ended = endedAt === null ? '' : ` at ${clock(endedAt)}`;
  switch (state) {
    case 'open':
      return 'not replayed';
    case 'ordered':
      return `replay ordered by ${replayed?.by ?? 'somebody'}; its service has not said what came of it`;
    case 'handled':
      return `handled${ended}`;
    case 'scheduled':
      return `its job runs again since${ended.replace(' at', '')}`;
    case 'failed-again':
      return `replayed by ${replayed?.by ?? 'somebody'}, failed again${ended}`;
  }
}

export function deadLettersText(paint: Paint, rows: readonly DeadLetterRow[]): string {
  if (rows.length === 0) return paint.green('No dead letters.');
  return titled(
    paint,
    ['id', 'service', 'event or job', 'at', 'reason'],
    printable(rows).map((d) => [
      d.deadLetterId,
      d.service,
      d.job ? `job ${d.job.kind} ${d.job.id}` : `${d.topic}/${d.partition}@${d.offset}`,
      clock(d.at),
      `${d.fault.detail}${d.replayed ? ` (${endText(d)})` : ''}`,
    ]),
  );
}

export function deadLetterText(paint: Paint, given: DeadLetterRow): string {
  const d = printable(given);
  return table(
    [
      ['dead letter', d.deadLetterId],
      ['service', d.service],
      d.job
        ? ['job', `${d.job.kind} ${d.job.id}`]
        : ['event', `${d.type ?? 'of unknown type'} at ${d.topic}, partition ${d.partition}, offset ${d.offset}`],
      ['reason', `${d.fault.detail} [${d.fault.code}]`],
      ['tried', count(d.attempts, 'time')],
      ['at', clock(d.at)],
      [
        'replayed',
        d.replayed
          ? `by ${d.replayed.by} at ${clock(d.replayed.at)}${d.replayed.note === undefined ? '' : `, with the note “${d.replayed.note}”`}`
          : 'never',
      ],
      ...(d.replayed ? [['outcome', `${endText(d)}${d.failedAgain ? `: ${d.failedAgain.detail}` : ''}`]] : []),
    ],
    (cell, column) => (column === 0 ? paint.dim(cell) : cell),
  );
}

/** `trusted`: whether the verifier key was known before, or only comes from the record itself. */
export function reportText(paint: Paint, report: RecordReport, trusted: boolean): string {
  const { commitmentsChecked: n } = report;
  // A commitment stands for an event whose content is not stored.
  const commitments = n === 0 ? '' : `, ${count(n, 'commitment')} to events that are not stored`;
  const lines = [
    `${count(report.size, 'entry', 'entries')}, ${report.confirmed} confirmed by ${count(report.checkpointsChecked, 'signed checkpoint')}, ${count(report.eventsChecked - report.commitmentsChecked, 'event')} compared byte for byte${commitments}`,
    paint.dim(`root ${report.root}`),
  ];
  if (!trusted) {
    lines.push(
      paint.yellow(
        'Checked with the key that the record itself names. To check whose signatures they are, give --key.',
      ),
    );
  }
  for (const { kind, at, detail } of printable(report.problems)) {
    const place = at === 'record' ? 'the record' : 'leaf' in at ? `entry ${at.leaf}` : `checkpoint ${at.checkpoint}`;
    lines.push(paint.red(`${place}: ${detail} [${kind}]`));
  }
  if (report.problemCount > report.problems.length)
    lines.push(`and ${report.problemCount - report.problems.length} more`);
  lines.push(
    report.ok
      ? paint.green('The record is whole.')
      : paint.red(`${count(report.problemCount, 'problem')}: the record is not whole.`),
  );
  return lines.join('\n');
}
