import { acts, explained } from '@countersign/client';
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
} from '../../core/agents-text.js';

export function agentCommands(program: Command): void {
  const agents = program
    .command('agents')
    .argument('[name]', 'one agent, with its charter in plain words and its latest actions')
    .description('what agents may do, what they did, and how often people changed it')
    .option('--days <n>', 'figures of so many days, today included', '30');
  explained(agents, ['agents', 'agents paid-media-agent --days 7'], 'there is no such agent');
  acts(agents, async (s, name: string | undefined, { days }: { days: string }) => {
    const asked = new URLSearchParams({ days }).toString();
    if (name === undefined) {
      const found = await s.console.get<AgentsList>(`/v1/agents?${asked}`);
      s.answer(found, agentsText(s.paint, found));
      return undefined;
    }
    const path = `/v1/agents/${encodeURIComponent(name)}`;
    const page = await s.console.get<AgentPage>(`${path}?${asked}`);
    const actions = await s.console.get<ActionsList>(`${path}/actions?limit=20`);
    s.answer({ ...page, ...actions }, agentText(s.paint, page, actions));
    return undefined;
  });

  const plays = program
    .command('plays')
    .argument('[id]', 'one play, step by step, with its latest runs')
    .description('what starts plays, what they do, and when they ran last');
  explained(plays, ['plays', 'plays tier-1-comparison-surge'], 'there is no such play');
  acts(plays, async (s, id: string | undefined) => {
    if (id === undefined) {
      const found = await s.console.get<PlaysList>('/v1/plays');
      s.answer(found, playsText(s.paint, found));
      return undefined;
    }
    const path = `/v1/plays/${encodeURIComponent(id)}`;
    const play = await s.console.get<PlayPage>(path);
    const runs = await s.console.get<PlayRuns>(`${path}/runs?limit=20`);
    s.answer({ ...play, latest: runs.runs }, playText(s.paint, play, runs));
    return undefined;
  });
}
