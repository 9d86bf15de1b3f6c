import { setTimeout as sleep } from 'node:timers/promises';
import { acts, explained, type Session } from '@countersign/client';
import { Misused, printable, type UnresolvedPermit } from '@countersign/client/core';
import type { Command } from 'commander';
import { decisionText, unresolvedText } from '../../core/render.js';
import { mostOf, mostRows, rowsOf } from '../pages.js';
import { patient } from '../patience.js';
import { wholeId } from '../whole-id.js';

interface SettleOptions {
  readonly executed?: boolean;
  readonly failed?: boolean;
  readonly note: string;
  readonly wait: string;
}

export function settleCommands(program: Command): void {
  const unresolved = program
    .command('unresolved')
    .description(
      'permits of which it is not known whether they ran, the oldest first; each still holds its reservation',
    )
    .option('--before <cursor>', 'continue a list where it ended; the list prints the value')
    .option('--limit <n>', 'how many, at most', String(mostRows));
  explained(unresolved, ['unresolved', 'unresolved --json'], 'there are some');
  acts(unresolved, async (s, options: { readonly before?: string; readonly limit: string }) => {
    const { rows, next } = await waiting(s, mostOf(options.limit), options.before);
    s.answer({ unresolved: rows, next }, unresolvedText(s.paint, rows));
    if (next !== null) s.note(`There are more. --before ${printable(next)} continues.`);
    return rows.length === 0;
  });

  const settle = program
    .command('settle')
    .argument('<permit>', 'an unresolved permit; the first characters of its id are enough')
    .description('decide the outcome of an unresolved permit, after you have looked into the connected system')
    .option('--executed', 'the effect is there')
    .option('--failed', 'the effect is not there and will not come')
    .requiredOption('--note <text>', 'how you know; it is kept on the record')
    .option('--wait <seconds>', 'how long to wait until the executor has settled it, in seconds', '15');
  explained(
    settle,
    ['settle 3f2a --executed --note "the platform shows the new budget"', 'settle 3f2a --failed --note "no such mail"'],
    'it is not unresolved, it was decided differently, or you do not have the role',
  );
  acts(settle, async (s, given: string, options: SettleOptions) => {
    if ((options.executed === true) === (options.failed === true))
      throw new Misused('give either --executed or --failed');
    const seconds = Number(options.wait);
    if (!(seconds >= 0)) throw new Misused(`--wait ${options.wait}: a number of seconds is expected`);
    const path = `/v1/settlements/${encodeURIComponent(await wholeId(s, 'permit', given))}`;
    const body = { outcome: options.executed ? 'executed' : 'failed', note: options.note };
    let now = await s.console.post<UnresolvedPermit>(path, body);
    const until = performance.now() + seconds * 1000;
    while (now.outcome === 'unresolved' && performance.now() < until) {
      await sleep(250);
      now = await patient(s, until, () => s.console.get<UnresolvedPermit>(path));
    }
    s.answer(now, decisionText(s.paint, now));
    return undefined;
  });
}

const waiting = (s: Session, most: number, from?: string) =>
  rowsOf<UnresolvedPermit>(s, '/v1/settlements', 'unresolved', most, from);
