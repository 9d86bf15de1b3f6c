import { acts, explained } from '@countersign/client';
import type { Run, Task } from '@countersign/client/core';
import type { Command } from 'commander';
import { runsText, tasksText } from '../../core/render.js';

export function playCommands(program: Command): void {
  const runs = program
    .command('runs')
    .argument('[id]', 'one run, with its tasks')
    .description('the runs of plays: for whom, and with which outcome')
    .option('--play <id>', 'of one play')
    .option('--state <state>', 'in one state');
  explained(runs, ['runs', 'runs --play tier-1-comparison-surge', 'runs 7c0d6c1e-…'], 'there is no such run');
  acts(runs, async (s, id: string | undefined, options: { play?: string; state?: string }) => {
    if (id === undefined) {
      const found = await s.orchestrator.get<{ runs: Run[] }>(`/runs${query(options)}`);
      s.answer(found, runsText(s.paint, found.runs));
      return undefined;
    }
    const run = await s.orchestrator.get<Run>(`/runs/${encodeURIComponent(id)}`);
    s.answer(run, `${runsText(s.paint, [run])}\n\n${tasksText(s.paint, run.tasks ?? [])}`);
    return undefined;
  });

  const tasks = program
    .command('tasks')
    .description('what agents were given to do, and what they proposed')
    .option('--run <id>', 'of one run')
    .option('--overdue', 'only those that are past their due time');
  explained(tasks, ['tasks', 'tasks --run 7c0d6c1e-…', 'tasks --overdue']);
  acts(tasks, async (s, options: { run?: string; overdue?: boolean }) => {
    const asked = query({ run: options.run, overdue: options.overdue ? 'true' : undefined });
    const found = await s.orchestrator.get<{ tasks: Task[] }>(`/tasks${asked}`);
    s.answer(found, tasksText(s.paint, found.tasks));
    return undefined;
  });
}

function query(options: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(options).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
