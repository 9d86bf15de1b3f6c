import { type Charter, type Play, Uuid } from '@countersign/contracts';
import { Documented, Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { PlayAnswer, PlaysAnswer, RunAnswer, RunsAnswer } from '../core/agents.answers.js';
import { type StopNow, stopsFor } from '../core/agents.js';
import { Cursor, paged } from '../core/cursor.js';
import { playSteps, triggerWords } from '../core/play-words.js';
import { problem } from '../core/problem.js';
import { withRuns } from '../core/standing.js';
import { AgentStore } from './agents.repository.js';
import { Store } from './console.repository.js';
import { ControlStore } from './controls.repository.js';
import { PathId } from './path-id.js';
import { type Asked, type Latest, PlayStore } from './plays.repository.js';

const Listing = z.object({
  limit: z.coerce.number().int().positive().max(200).default(50),
  before: Cursor.optional(),
  live: z.enum(['true', 'false']).default('false').describe('true: only the runs that stand at a step now'),
});
/** A run has a few actions. Any beyond this number are on the agents' pages. */
const mostActions = 200;

/** What plays do, and what they have done. */
@Controller('v1')
export class Plays {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(ControlStore) private readonly controls: ControlStore,
    @Inject(PlayStore) private readonly plays: PlayStore,
    @Inject(AgentStore) private readonly agents: AgentStore,
  ) {}

  @Get('plays')
  @Documented({ summary: 'Every play of the policy in force', answers: { 200: PlaysAnswer } })
  async list() {
    const at = this.runtime.now();
    const { plays, charters, controls } = await this.read();
    const latest = await this.plays.latest(plays.map(asked), at);
    return { at, plays: plays.map((play) => shown(play, charters, controls, latest)) };
  }

  @Get('plays/:playId')
  @Documented({
    summary: 'One play: what starts it and what it does, step by step',
    answers: { 200: PlayAnswer },
    problems: [404],
  })
  async show(@Param('playId', { schema: PathId }) playId: string) {
    const at = this.runtime.now();
    const { plays, charters, controls, version } = await this.read();
    const play = playOf(playId, plays);
    const latest = await this.plays.latest([asked(play)], at);
    const drawn = withRuns(playSteps(play, charters), latest.get(playId)?.places ?? []);
    return { at, ...shown(play, charters, controls, latest), policyVersion: version, ...drawn };
  }

  @Get('plays/:playId/runs')
  @Documented({
    summary: 'The runs of a play with their tasks, the latest first',
    answers: { 200: RunsAnswer },
    problems: [404],
  })
  async runs(
    @Param('playId', { schema: PathId }) playId: string,
    @Query({ schema: Listing }) { limit, before, live }: z.infer<typeof Listing>,
  ) {
    const at = this.runtime.now();
    const found =
      live === 'true'
        ? await this.live(playId, before, limit + 1, at)
        : await this.plays.runs(playId, before, limit + 1, at);
    // A play that is no longer in the policy still has its runs.
    if (found.length === 0) playOf(playId, (await this.read()).plays);
    const { page, next } = paged(found, limit, (run) => `${run.startedAt},${run.runId}`);
    return { at, runs: page, next };
  }

  @Get('runs/:runId')
  @Documented({
    summary: 'One run of a play, its tasks and the actions that came of them',
    answers: { 200: RunAnswer },
    problems: [404],
  })
  async run(@Param('runId', { schema: PathId }) runId: string) {
    const at = this.runtime.now();
    const run = Uuid.safeParse(runId).success ? await this.plays.run(runId, at) : undefined;
    if (!run) throw new Refused(problem(404, 'No such run', `no run with the id ${runId} is kept here`));
    const actions = await this.agents.actionsOf(runId, mostActions + 1);
    return { at, run, actions: actions.slice(0, mostActions), more: actions.length > mostActions };
  }

  private async live(playId: string, before: Cursor | undefined, limit: number, at: string) {
    const play = (await this.read()).plays.find(({ id }) => id === playId);
    return this.plays.live(play ? asked(play) : { id: playId, agents: [] }, before, limit, at);
  }

  private async read() {
    const [policy, controls] = await Promise.all([this.store.policy(this.store.forPages), this.controls.stops()]);
    const { plays = [], charters = [] } = policy?.content ?? {};
    return { plays, charters, version: policy?.version ?? 0, controls };
  }
}

function playOf(playId: string, plays: readonly Play[]): Play {
  const play = plays.find(({ id }) => id === playId);
  if (play) return play;
  const names = plays.map(({ id }) => id).join(', ') || 'none';
  throw new Refused(problem(404, 'No such play', `no play is called ${playId}; there is ${names}`));
}

const shown = (
  { id, title, trigger, tasks }: Play,
  charters: readonly Charter[],
  controls: readonly StopNow[],
  latest: ReadonlyMap<string, Latest>,
) => {
  const { live = 0, lastAt = null } = latest.get(id) ?? {};
  return {
    id,
    title,
    starts: triggerWords({ trigger, tasks }, charters),
    agents: agentsOf(tasks),
    stops: stopsFor(controls, `play:${id}`),
    runs: { live, lastAt },
  };
};

const agentsOf = (tasks: Play['tasks']): string[] => [...new Set(tasks.map(({ agent }) => agent))];
const asked = ({ id, tasks }: Play): Asked => ({ id, agents: agentsOf(tasks) });
