import { clock, count, type Paint, printable, table, tally } from '@countersign/client/core';
import type { CampaignKnown } from './ledger.js';
import { nameAndId, withNames } from './names.js';

interface Stop {
  readonly scope: string;
  readonly by: string;
  readonly reason: string;
}
interface AgentRow {
  readonly agent: string;
  readonly owner: string | null;
  readonly stops: readonly Stop[];
  readonly figures: {
    readonly proposed: number;
    readonly approved: number;
    readonly refused: number;
    readonly escalated: number;
    readonly answers: { readonly approve: number; readonly edit: number; readonly reject: number };
    /** An older console does not count them. */
    readonly rejectedFor?: Readonly<Record<string, number>>;
    readonly refusedBy: Readonly<Record<string, number>>;
    readonly tokens: Tokens;
  };
}
interface Tokens {
  readonly state: 'no-task' | 'no-model' | 'not-called' | 'unknown' | 'at-least' | 'known';
  readonly models: readonly string[];
  readonly calls: number;
  readonly unknownCalls: number;
  readonly input: number | null;
  readonly output: number | null;
  readonly perProposal: { readonly input: number; readonly output: number } | null;
}
interface Period {
  readonly from: string;
  readonly since: string;
  readonly tokensSince: string;
}
export interface AgentsList extends Period {
  readonly agents: readonly AgentRow[];
}
export interface AgentPage extends Period, AgentRow {
  readonly charter: readonly { title: string; lines: readonly string[] }[];
}
export interface ActionsList {
  readonly actions: readonly {
    proposalId: string;
    detail: string;
    at: string;
    state: string;
    edited: boolean;
    reason: string | null;
    /** The names of its campaigns. An older console does not send them. */
    campaigns?: readonly CampaignKnown[];
  }[];
  readonly next: string | null;
}
interface PlayRow {
  readonly id: string;
  readonly title: string;
  readonly starts: string;
  readonly agents: readonly string[];
  readonly stops: readonly Stop[];
  readonly runs: { readonly live: number; readonly lastAt: string | null };
}
export interface PlaysList {
  readonly plays: readonly PlayRow[];
}
interface Standing {
  readonly here: number;
  readonly waits: number;
  readonly late: number;
}
export interface PlayPage extends PlayRow {
  readonly steps: readonly { title: string; lines: readonly string[]; agent?: string; runs?: Standing }[];
  readonly elsewhere: Standing;
}
interface Subject {
  readonly kind: string;
  readonly id: string | null;
  /** An older console does not send it. */
  readonly name?: string | null;
}
interface RunStep {
  readonly state: string;
  readonly title: string;
  readonly detail: string;
  readonly agent: string | null;
  readonly at: string | null;
  readonly until: string | null;
  readonly story: string | null;
  readonly review: string | null;
}
export interface PlayRuns {
  readonly runs: readonly {
    runId: string;
    startedAt: string;
    state: string;
    subject: Subject;
    steps: readonly RunStep[];
  }[];
  readonly next: string | null;
}
export interface RunPage {
  readonly run: {
    readonly runId: string;
    readonly playId: string;
    readonly startedAt: string;
    readonly state: string;
    readonly subject: Subject;
    readonly steps: readonly RunStep[];
  };
  readonly actions: ActionsList['actions'];
  readonly more: boolean;
}

const periodText = ({ from, since }: Period): string => `Figures from ${from} on; they are kept since ${clock(since)}.`;
const stopped = (paint: Paint, stops: readonly Stop[]): string =>
  stops.length === 0 ? paint.green('runs') : paint.red(`stopped by ${stops[0]?.by}: ${stops[0]?.reason}`);

/** An unknown number is not shown as zero. */
function tokensCell({ state, input, output }: Tokens): string {
  switch (state) {
    case 'no-task':
    case 'not-called':
      return 'none';
    case 'no-model':
      return 'no model';
    case 'unknown':
      return 'not known';
    case 'at-least':
      return `at least ${input}, ${output}`;
    case 'known':
      return `${input}, ${output}`;
  }
}

function tokensText({ state, models, calls, unknownCalls, input, output, perProposal }: Tokens): string {
  const model = models.length === 0 ? 'its model' : `its model (${models.join(', ')})`;
  const called = `It called ${model} ${calls === 1 ? 'once' : `${calls} times`}`;
  const average =
    perProposal === null ? '' : ` On average ${perProposal.input} in and ${perProposal.output} out for a proposal.`;
  switch (state) {
    case 'no-task':
      return 'It answered no task, so it took no tokens of a model.';
    case 'no-model':
      return 'It calls no model: its rules plan.';
    case 'not-called':
      return `It did not call ${model}.`;
    case 'unknown':
      return calls === 0
        ? 'It plans with a model and does not say how many tokens that takes.'
        : `${called}; how many tokens that took is not known.`;
    case 'at-least':
      return `${called}: at least ${input} tokens in and ${output} out; ${unknownCalls === 0 ? 'some answers do not say what they took' : `those of ${unknownCalls} of the calls are not known`}.${average}`;
    case 'known':
      return `${called}: ${input} tokens in, ${output} out.${average}`;
  }
}

export function agentsText(paint: Paint, given: AgentsList): string {
  const { agents, ...period } = printable(given);
  const head = ['agent', 'proposed', 'approved', 'refused', 'asked', 'changed by people', 'tokens in, out', ''];
  const rows = agents.map(({ agent, stops, figures: f }) => [
    agent,
    String(f.proposed),
    String(f.approved),
    String(f.refused),
    String(f.escalated),
    String(f.answers.edit + f.answers.reject),
    tokensCell(f.tokens),
    stopped(paint, stops),
  ]);
  return `${table([head, ...rows])}\n${periodText(period)}`;
}

export function agentText(paint: Paint, givenPage: AgentPage, givenActions: ActionsList): string {
  const page = printable(givenPage);
  const { figures: f } = page;
  const charter =
    page.charter.length === 0
      ? ['No charter is in force for it: all that it proposes is refused.']
      : page.charter.flatMap(({ title, lines }) => [paint.bold(title), ...lines.map((line) => `  ${line}`)]);
  const refusals = Object.keys(f.refusedBy).length > 0 ? ` (${tally(f.refusedBy)})` : '';
  const rejections = Object.keys(f.rejectedFor ?? {}).length > 0 ? ` (${tally(f.rejectedFor ?? {})})` : '';
  const figures = [
    `${f.proposed} proposed, ${f.approved} approved, ${f.refused} refused${refusals}, ${f.escalated} asked a person.`,
    `People approved ${f.answers.approve}, edited ${f.answers.edit} and rejected ${f.answers.reject}${rejections}. ${periodText(page)}`,
    `${tokensText(f.tokens)} Tokens are counted since ${clock(page.tokensSince)}.`,
  ];
  const latest = [...actionLines(givenActions.actions), ...older(paint, givenActions.next)];
  return [
    `${paint.bold(page.agent)}  ${stopped(paint, page.stops)}`,
    ...charter,
    paint.bold('Figures'),
    ...figures.map((line) => `  ${line}`),
    paint.bold('Latest actions'),
    ...latest,
  ].join('\n');
}

const actionLines = (given: ActionsList['actions']): string[] =>
  given.length === 0
    ? ['  Nothing yet.']
    : [
        table(
          printable(given).map(({ proposalId, detail, at, state, edited, reason, campaigns }) => [
            `  ${clock(at)}`,
            `${state}${edited ? ', edited' : ''}`,
            withNames(reason === null ? detail : `${detail}: ${reason}`, campaigns),
            proposalId.slice(0, 8),
          ]),
        ),
      ];

const older = (paint: Paint, next: string | null | undefined): string[] =>
  next ? [paint.dim(`  Older ones: --before ${printable(next)}`)] : [];

export function playsText(paint: Paint, given: PlaysList): string {
  const plays = printable(given.plays);
  if (plays.length === 0) return 'The policy in force has no play: no agent is given a task.';
  return table(
    plays.map(({ id, title, agents, stops, runs }) => [
      id,
      title,
      agents.join(', '),
      runs.lastAt === null ? 'never ran' : `last ${clock(runs.lastAt)}, ${runs.live} under way`,
      stopped(paint, stops),
    ]),
  );
}

/** How many runs stand at a step now. */
const standingText = ({ here, waits, late }: Standing): string => {
  const more = [...(waits > 0 ? [`${waits} for a person to act`] : []), ...(late > 0 ? [`${late} late`] : [])];
  return here === 0
    ? 'no run here now'
    : `${count(here, 'run')} here now${more.length > 0 ? `: ${more.join(', ')}` : ''}`;
};

export function playText(paint: Paint, given: PlayPage, { runs, next }: PlayRuns): string {
  const play = printable(given);
  const rows = printable(runs).map(({ runId, startedAt, state, subject, steps }) => [
    `  ${clock(startedAt)}`,
    subject.id === null ? '' : `${subject.kind} ${nameAndId(subject.id, subject.name)}`,
    state,
    currentSteps(steps)
      .map(({ title, detail }) => `${title}: ${detail}`)
      .join(' '),
    runId.slice(0, 8),
  ]);
  const elsewhere =
    play.elsewhere.here > 0 ? [`At steps that an earlier policy had: ${standingText(play.elsewhere)}`] : [];
  return [
    `${paint.bold(play.title)}  ${stopped(paint, play.stops)}`,
    ...play.steps.flatMap(({ title, lines, agent, runs: standing }) => [
      paint.bold(agent === undefined ? title : `${title} (${agent})`),
      ...[...lines, ...(standing ? [paint.cyan(standingText(standing))] : [])].map((line) => `  ${line}`),
    ]),
    ...elsewhere,
    paint.bold('Runs'),
    rows.length === 0 ? '  None.' : table(rows),
    ...older(paint, next),
  ].join('\n');
}

/** The steps at which a run stands or went wrong; without one, the step at which it ended. */
function currentSteps(steps: readonly RunStep[]): readonly RunStep[] {
  const standing = steps.filter(({ state }) => ['here', 'waits', 'late', 'failed'].includes(state));
  return standing.length > 0 ? standing : steps.filter(({ state }) => state !== 'ahead').slice(-1);
}

/** One run: its subject, its steps with their times, and its actions. */
export function runText(paint: Paint, given: RunPage): string {
  const { run, more } = printable(given);
  const about =
    run.subject.id === null
      ? ''
      : ` for the ${run.subject.kind.replace('-', ' ')} ${nameAndId(run.subject.id, run.subject.name)}`;
  const waiting = run.steps.flatMap(({ state, review }) =>
    state === 'waits' && review !== null ? [`It waits for a person: countersign review show ${review}`] : [],
  );
  const steps = run.steps.map(({ state, title, agent, detail, at, until, story }) => [
    `  ${at === null ? '' : clock(at)}`,
    state,
    agent === null ? title : `${title} (${agent})`,
    until === null ? detail : `${detail} The time ends ${clock(until)}.`,
    state === 'ahead' || story === null ? '' : story,
  ]);
  return [
    `${paint.bold(`A run of ${run.playId}${about}`)}  ${run.state}, since ${clock(run.startedAt)}`,
    ...waiting,
    paint.bold('Steps, with the id of each story'),
    table(steps),
    paint.bold('Actions'),
    ...actionLines(given.actions),
    ...(more ? ['  It has more actions; the lists of its agents have all: countersign agents <name>'] : []),
  ].join('\n');
}
