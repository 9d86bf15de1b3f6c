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
import { wholeId } from '../whole-id.js';

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
    .description('what starts plays, what they do, and where their runs stand; with --run one run, step by step')
    .option(
      '--run <id>',
      'one run: its steps with their times, and the actions that came of it; the first characters of its id are enough',
    )
    .option('--live', 'with a play: only the runs that stand at a step now')
    .option('--before <cursor>', 'with a play: older runs; the cursor is printed below the list')
    .option('--limit <n>', 'with a play: how many runs, at most 200', '20');
  explained(
    plays,
    ['plays', 'plays tier-1-comparison-surge --live', 'plays --run 7c0d6c1e'],
    'there is no such play, or no such run',
  );
  acts(plays, async (s, id: string | undefined, { run, live, ...page }: Page & { run?: string; live?: boolean }) => {
    if (run !== undefined) {
      if (id !== undefined) throw new Misused('give either a play or --run');
      const found = await s.console.get<RunPage>(`/v1/runs/${encodeURIComponent(await wholeId(s, 'run', run))}`);
      s.answer(found, runText(s.paint, found));
      return undefined;
    }
    if (id === undefined) {
      if (live) throw new Misused('give a play with --live');
      const found = await s.console.get<PlaysList>('/v1/plays');
      s.answer(found, playsText(s.paint, found));
      return undefined;
    }
    const path = `/v1/plays/${encodeURIComponent(id)}`;
    const play = await s.console.get<PlayPage>(path);
    const asked = query(page);
    if (live) asked.set('live', 'true');
    const runs = await s.console.get<PlayRuns>(`${path}/runs?${asked}`);
    s.answer({ ...play, latest: runs.runs, next: runs.next }, playText(s.paint, play, runs));
    return undefined;
  });
}
