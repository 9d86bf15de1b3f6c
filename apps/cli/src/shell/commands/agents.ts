import { acts, explained } from '@countersign/client';
import { Misused } from '@countersign/client/core';
import type { Command } from 'commander';
import {
  type ActionsList,
  type AgentPage,
  type AgentsList,
  agentsText,
  agentText,
  type PlayPage,
  type PlayRuns,
  type PlaysList,
  playsText,
  playText,
  type RunPage,
  runText,
} from '../../core/agents-text.js';

interface Page {
  readonly before?: string;
  readonly limit: string;
}
const query = ({ limit, before }: Page) => new URLSearchParams({ limit, ...(before !== undefined && { before }) });

export function agentCommands(program: Command): void {
  const agents = program
    .command('agents')
    .argument('[name]', 'one agent, with its charter in plain words and its latest actions')
    .description('what agents may do, what they did, and how often people changed it')
    .option('--days <n>', 'figures of so many days, today included', '30')
    .option('--before <cursor>', 'with a name: older actions; the cursor is printed below the list')
    .option('--limit <n>', 'with a name: how many actions, at most 200', '20');
  explained(agents, ['agents', 'agents paid-media-agent --days 7'], 'there is no such agent');
  acts(agents, async (s, name: string | undefined, { days, ...page }: Page & { days: string }) => {
    const asked = new URLSearchParams({ days }).toString();
    if (name === undefined) {
      const found = await s.console.get<AgentsList>(`/v1/agents?${asked}`);
      s.answer(found, agentsText(s.paint, found));
      return undefined;
    }
    const path = `/v1/agents/${encodeURIComponent(name)}`;
    const found = await s.console.get<AgentPage>(`${path}?${asked}`);
    const actions = await s.console.get<ActionsList>(`${path}/actions?${query(page)}`);
    s.answer({ ...found, ...actions }, agentText(s.paint, found, actions));
    return undefined;
  });

  const plays = program
    .command('plays')
    .argument('[id]', 'one play, step by step, with its latest runs')
    .description('what starts plays, what they do, and when they ran last; with --run one run and what came of it')
    .option('--run <id>', 'one run: its tasks and the actions that came of them')
    .option('--before <cursor>', 'with a play: older runs; the cursor is printed below the list')
    .option('--limit <n>', 'with a play: how many runs, at most 200', '20');
  explained(
    plays,
    ['plays', 'plays tier-1-comparison-surge', 'plays --run 7c0d6c1e-…'],
    'there is no such play, or no such run',
  );
  acts(plays, async (s, id: string | undefined, { run, ...page }: Page & { run?: string }) => {
    if (run !== undefined) {
      if (id !== undefined) throw new Misused('give either a play or --run');
      const found = await s.console.get<RunPage>(`/v1/runs/${encodeURIComponent(run)}`);
      s.answer(found, runText(s.paint, found));
      return undefined;
    }
    if (id === undefined) {
      const found = await s.console.get<PlaysList>('/v1/plays');
      s.answer(found, playsText(s.paint, found));
      return undefined;
    }
    const path = `/v1/plays/${encodeURIComponent(id)}`;
    const play = await s.console.get<PlayPage>(path);
    const runs = await s.console.get<PlayRuns>(`${path}/runs?${query(page)}`);
    s.answer({ ...play, latest: runs.runs, next: runs.next }, playText(s.paint, play, runs));
    return undefined;
  });
}
