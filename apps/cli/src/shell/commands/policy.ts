import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { policyDigests, problemLine, readConfig, readDeployment } from '@countersign/contracts';
import type { Command } from 'commander';
import { Misused } from '../../core/edit.js';
import { clock, count, printable, table } from '../../core/text.js';
import { acts, explained } from '../command.js';
import { codeOf } from '../failure.js';

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
    .argument('[folder]', 'the configuration; else that of CONFIG_DIR, or deploy/config')
    .description('check a configuration folder, offline: every problem with file, line and field');
  explained(check, ['policy check', 'policy check deploy/config --json'], 'the configuration is not valid');
  acts(check, async (s, folder: string | undefined) => {
    const files = filesIn(folder ?? (process.env.CONFIG_DIR || 'deploy/config'));
    const installed = readDeployment(files);
    const read = readConfig(files, installed.ok ? installed.deployment : undefined);
    if (!read.ok || !installed.ok) {
      const problems = [installed, read].flatMap((part) => (part.ok ? [] : part.problems));
      s.answer({ ok: false, problems }, s.paint.red(printable(problems.map(problemLine)).join('\n')));
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
    s.answer({ ok: true, digest }, `${s.paint.green('Valid')}: ${parts.join(', ')}; digest ${digest}`);
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
    .description('have the console read its configuration folder again and publish what changed');
  explained(publish, ['policy publish'], 'you may not');
  acts(publish, async (s) => {
    const done = await s.console.post<{ changed: boolean; version: number; digest: string }>(
      '/v1/policies/publish',
      {},
    );
    const says = done.changed
      ? s.paint.green(`Policy ${done.version} is published.`)
      : `Nothing changed: policy ${done.version} is in force.`;
    s.answer(done, `${says} Digest ${done.digest}`);
    return undefined;
  });
}

function filesIn(folder: string) {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.yaml'))
      .sort()
      .map((name) => ({ path: name.split(sep).join('/'), text: readFileSync(join(folder, name), 'utf8') }));
  } catch (error) {
    throw new Misused(`${folder} cannot be read: ${codeOf(error)}`);
  }
}
