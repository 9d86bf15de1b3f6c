import fs from 'node:fs';
import { acts, codeOf, explained, Failure } from '@countersign/client';
import { clock, count, Misused, printable, table } from '@countersign/client/core';
import { type ConfigFile, digestOf, policyDigests, readConfig, readFolder } from '@countersign/contracts';
import type { Command } from 'commander';
import {
  type Check,
  checkText,
  type Difference,
  differencesText,
  type Published,
  problemLines,
  publishedText,
  type Versions,
  versionsText,
} from '../../core/policy-text.js';
import { confirmed } from '../confirmed.js';

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
  explained(check, ['policy check', 'policy check deploy/config --json'], 'the configuration is not valid').option(
    '--console',
    'ask the console for its own folder: also what it would change',
  );
  acts(check, async (s, folder: string | undefined, options: { console?: boolean }) => {
    if (options.console) {
      if (folder !== undefined) throw new Misused('--console checks the folder of the console; name no other one');
      const found = await s.console.post<Check>('/v1/policies/check', {});
      s.answer(found, checkText(s.paint, found));
      return found.valid;
    }
    const read = readConfig(filesIn(folder ?? (process.env.CONFIG_DIR || 'deploy/config')));
    if (!read.ok) {
      s.answer({ ok: false, problems: read.problems }, s.paint.red(problemLines(read.problems)));
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
    s.answer(
      { ok: true, digest, notes },
      notes.length > 0 ? `${s.paint.yellow(problemLines(notes))}\n${valid}` : valid,
    );
    return true;
  });

  const show = policy
    .command('show')
    .argument('[version]', 'a version that was published; without it the policy in force')
    .description('a policy: by whom and when it was published; with --json its whole content');
  explained(show, ['policy show', 'policy show 3 --json'], 'no policy is in force, or there is no such version');
  acts(show, async (s, version: string | undefined) => {
    if (version !== undefined) {
      const past = await s.console.get<Published>(`/v1/policies/versions/${encodeURIComponent(version)}`);
      s.answer(past, publishedText(past));
      return undefined;
    }
    const found = await s.console.get<InForce>('/v1/policies');
    const shown = printable(found);
    const head = `Policy ${shown.version} by ${shown.by} at ${clock(shown.publishedAt)}, digest ${shown.digest}`;
    const parts = Object.entries(shown.parts).map(([name, digest]) => [`  ${name}`, digest.slice(0, 12)]);
    s.answer(found, `${head}\n${table(parts)}`);
    return undefined;
  });

  const versions = policy
    .command('versions')
    .description('every policy that was published, by whom and when')
    .option('--before <version>', 'only older ones than this');
  explained(versions, ['policy versions', 'policy versions --before 12']);
  acts(versions, async (s, { before }: { before?: string }) => {
    const asked = before === undefined ? '' : `?before=${encodeURIComponent(before)}`;
    const found = await s.console.get<Versions>(`/v1/policies/versions${asked}`);
    s.answer(found, versionsText(found));
    return undefined;
  });

  const diff = policy
    .command('diff')
    .argument('[from]', "a version; without one the console's folder is compared with the policy in force")
    .argument('[to]', 'another version; else the one in force')
    .description('what one policy has otherwise than another, setting by setting');
  explained(
    diff,
    ['policy diff', 'policy diff 3', 'policy diff 3 5'],
    'the folder is not valid, or a version is not there',
  );
  acts(diff, async (s, from: string | undefined, to: string | undefined) => {
    if (from === undefined) {
      const found = await s.console.post<Check>('/v1/policies/check', {});
      s.answer(found, checkText(s.paint, found));
      return found.valid;
    }
    const after = to ?? String((await s.console.get<InForce>('/v1/policies')).version);
    const asked = new URLSearchParams({ from, to: after }).toString();
    const found = await s.console.get<{ differences: Difference[] }>(`/v1/policies/differences?${asked}`);
    s.answer(found, differencesText(s.paint, found.differences));
    return undefined;
  });

  const publish = policy
    .command('publish')
    .description('let the console read its configuration folder, show what changes, and publish exactly that')
    .option('--digest <start>', 'only if the folder has this digest, as `policy diff` showed it')
    .option('--yes', 'do not ask');
  explained(
    publish,
    ['policy diff', 'policy publish'],
    'the folder is not valid, it changed meanwhile, or you do not have the role',
  );
  acts(publish, async (s, options: { digest?: string; yes?: boolean }) => {
    const found = await s.console.post<Check>('/v1/policies/check', {});
    if (!found.valid) {
      s.answer(found, checkText(s.paint, found));
      return false;
    }
    const { digest, inForce, differences } = found;
    if (options.digest !== undefined && !digest?.startsWith(options.digest))
      throw new Failure(
        1,
        `the folder has another digest now: ${digest}. Look again at what it changes: countersign policy diff`,
      );
    if (found.differs) s.note(differencesText(s.paint, differences));
    const looked = found.differs && (await confirmed(s, 'Publish this?', options.yes));
    if (found.differs && !looked) {
      s.note('Nothing was published.');
      return false;
    }
    const lookedMs = looked ? looked.lookedMs : undefined;
    const done = await s.console.post<{ changed: boolean; version: number; digest: string }>('/v1/policies/publish', {
      digest,
      inForce,
      ...(lookedMs !== undefined && { seen: { digest: digestOf(found), lookedMs } }),
    });
    const detail = done.changed
      ? s.paint.green(`Policy ${done.version} is published.`)
      : `Nothing changed: policy ${done.version} is in force.`;
    s.answer({ ...done, differences }, `${detail} Digest ${done.digest}`);
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
