import fs from 'node:fs';
import { acts, codeOf, explained } from '@countersign/client';
import { clock, count, Misused, printable, table } from '@countersign/client/core';
import {
  type ConfigFile,
  type ConfigProblem,
  policyDigests,
  problemLine,
  readConfig,
  readFolder,
} from '@countersign/contracts';
import type { Command } from 'commander';

interface InForce {
  readonly version: number;
  readonly digest: string;
  readonly parts: Readonly<Record<string, string>>;
  readonly by: string;
  readonly publishedAt: string;
}

export function policyCommands(program: Command): void {
  const policy = program.command('policy').description('charters, plays, sequences, rules and routes');

  const check = policy
    .command('check')
    .argument('[folder]', 'the configuration folder; default: CONFIG_DIR, or deploy/config')
    .description('check a configuration folder, offline: every problem with file, line and field');
  explained(check, ['policy check', 'policy check deploy/config --json'], 'the configuration is not valid');
  acts(check, async (s, folder: string | undefined) => {
    const read = readConfig(filesIn(folder ?? (process.env.CONFIG_DIR || 'deploy/config')));
    const linesOf = (found: readonly ConfigProblem[]): string => printable(found.map(problemLine)).join('\n');
    if (!read.ok) {
      s.answer({ ok: false, problems: read.problems }, s.paint.red(linesOf(read.problems)));
      return false;
    }
    const { charters, plays, sequences, routes } = read.content;
    const { digest } = policyDigests(read.content);
    const parts = [
      count(charters.length, 'charter'),
      count(plays.length, 'play'),
      count(sequences.length, 'sequence'),
      count(routes.length, 'route'),
    ];
    const valid = `${s.paint.green('Valid')}: ${parts.join(', ')}; digest ${digest}`;
    const { notes } = read;
    s.answer({ ok: true, digest, notes }, notes.length > 0 ? `${s.paint.yellow(linesOf(notes))}\n${valid}` : valid);
    return true;
  });

  const show = policy.command('show').description('the policy in force');
  explained(show, ['policy show', 'policy show --json'], 'no policy is in force');
  acts(show, async (s) => {
    const found = await s.console.get<InForce>('/v1/policies');
    const shown = printable(found);
    const head = `Policy ${shown.version} by ${shown.by} at ${clock(shown.publishedAt)}, digest ${shown.digest}`;
    const parts = Object.entries(shown.parts).map(([name, digest]) => [`  ${name}`, digest.slice(0, 12)]);
    s.answer(found, `${head}\n${table(parts)}`);
    return undefined;
  });

  const publish = policy
    .command('publish')
    .description('let the console read its configuration folder again and publish what changed');
  explained(publish, ['policy publish'], 'you do not have the role');
  acts(publish, async (s) => {
    const done = await s.console.post<{ changed: boolean; version: number; digest: string }>(
      '/v1/policies/publish',
      {},
    );
    const detail = done.changed
      ? s.paint.green(`Policy ${done.version} is published.`)
      : `Nothing changed: policy ${done.version} is in force.`;
    s.answer(done, `${detail} Digest ${done.digest}`);
    return undefined;
  });
}

function filesIn(folder: string): ConfigFile[] {
  try {
    return readFolder(folder, fs);
  } catch (error) {
    throw new Misused(`${folder} cannot be read: ${codeOf(error)}`);
  }
}
