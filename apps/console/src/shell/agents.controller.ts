import { Documented, deployment, Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { AgentActionsAnswer, AgentAnswer, AgentsAnswer, CharterAnswer } from '../core/agents.answers.js';
import { agentNames, agentShown, figuresSince, firstDay, stopsFor } from '../core/agents.js';
import { charterDocument } from '../core/charter-document.js';
import { charterWords } from '../core/charter-words.js';
import { Cursor, paged } from '../core/cursor.js';
import { documentFormats, written } from '../core/document.js';
import { linkTo } from '../core/message.js';
import { problem } from '../core/problem.js';
import { AgentStore } from './agents.repository.js';
import { Store } from './console.repository.js';
import { ControlStore } from './controls.repository.js';
import { PathId } from './path-id.js';
import { SETTINGS, type Settings } from './settings.js';

const Period = z.object({
  /** How many days the figures cover, including today. */
  days: z.coerce.number().int().positive().max(366).default(30),
});
const Form = z.object({ format: z.enum(documentFormats).default('text') });
const Listing = z.object({
  limit: z.coerce.number().int().positive().max(200).default(50),
  before: Cursor.optional(),
});

/** What each agent may do and has done. */
@Controller('v1/agents')
export class Agents {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(ControlStore) private readonly controls: ControlStore,
    @Inject(AgentStore) private readonly agents: AgentStore,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Get()
  @Documented({ summary: 'Every agent, with its stops and its figures', answers: { 200: AgentsAnswer } })
  async list(@Query({ schema: Period }) { days }: z.infer<typeof Period>) {
    const { names, content, controls, period, counts, tokens } = await this.read(days);
    const agents = names.map((agent) =>
      agentShown(agent, content, controls, {
        counts: counts.filter((count) => count.agent === agent),
        tokens: tokens.filter((row) => row.agent === agent),
      }),
    );
    return { ...period, agents };
  }

  @Get(':agent')
  @Documented({
    summary: 'One agent: its charter in plain words, its figures, its stops',
    answers: { 200: AgentAnswer },
    problems: [404],
  })
  async show(
    @Param('agent', { schema: PathId }) agent: string,
    @Query({ schema: Period }) { days }: z.infer<typeof Period>,
  ) {
    const { names, content, version, controls, period, ...sums } = await this.read(days, agent);
    if (!names.includes(agent)) throw new Refused(noSuchAgent(agent, names));
    const charter = content?.charters.find((c) => c.agent === agent);
    return {
      ...period,
      ...agentShown(agent, content, controls, sums),
      policyVersion: version,
      charter: charter && content ? charterWords(charter, content) : [],
    };
  }

  @Get(':agent/charter')
  @Documented({
    summary: 'What one agent can and cannot do, as a document that stands alone',
    description:
      'Made from the policy in force at the moment of the request, whose digest it names. It is not stored, so it is never older than the request.',
    answers: { 200: CharterAnswer },
    problems: [404],
  })
  async charter(
    @Param('agent', { schema: PathId }) agent: string,
    @Query({ schema: Form }) { format }: z.infer<typeof Form>,
  ) {
    const at = this.runtime.now();
    const [policy, controls] = await Promise.all([this.store.policy(this.store.forPages), this.controls.stops()]);
    const names = agentNames(policy?.content, deployment().agents);
    if (!names.includes(agent)) throw new Refused(noSuchAgent(agent, names));
    const address = linkTo(this.settings.publicUrl, `/agents/${encodeURIComponent(agent)}`);
    const stops = stopsFor(controls, `agent:${agent}`);
    const document = written(charterDocument({ agent, policy, stops, at, address }), format);
    const named = policy && {
      version: policy.version,
      digest: policy.digest,
      by: policy.by,
      publishedAt: policy.publishedAt,
    };
    return { at, agent, policy: named ?? null, format, document };
  }

  @Get(':agent/actions')
  @Documented({
    summary: 'What an agent proposed and what became of it, the latest first',
    answers: { 200: AgentActionsAnswer },
    problems: [404],
  })
  async actions(
    @Param('agent', { schema: PathId }) agent: string,
    @Query({ schema: Listing }) { limit, before }: z.infer<typeof Listing>,
  ) {
    const found = await this.agents.actions(agent, before, limit + 1);
    if (found.length === 0) await this.known(agent);
    const { page, next } = paged(found, limit, (row) => `${row.at},${row.proposalId}`);
    return { actions: page, next };
  }

  /** An agent that is no longer in the policy still has its actions. */
  private async known(agent: string): Promise<void> {
    const names = agentNames((await this.store.policy(this.store.forPages))?.content, deployment().agents);
    if (!names.includes(agent)) throw new Refused(noSuchAgent(agent, names));
  }

  private async read(days: number, only?: string) {
    const at = this.runtime.now();
    const [policy, controls, begun] = await Promise.all([
      this.store.policy(this.store.forPages),
      this.controls.stops(),
      this.agents.begun(),
    ]);
    const names = agentNames(policy?.content, deployment().agents);
    const from = firstDay(at, days);
    const asked = [only === undefined ? names : [only], from, at.slice(0, 10)] as const;
    const [counts, tokens] = await Promise.all([this.agents.counts(...asked), this.agents.tokens(...asked)]);
    const since = (begunAt: string) => figuresSince(begunAt, at, this.settings.agentFiguresDays);
    return {
      names,
      content: policy?.content,
      version: policy?.version ?? null,
      controls,
      period: { at, from, since: since(begun.counts), tokensSince: since(begun.tokens) },
      counts,
      tokens,
    };
  }
}

const noSuchAgent = (agent: string, names: readonly string[]) =>
  problem(404, 'No such agent', `no agent is called ${agent}; there is ${names.join(', ') || 'none'}`);
