import fs, { existsSync } from 'node:fs';
import { acts, codeOf, explained, Failure, type Session } from '@countersign/client';
import { Misused, printable } from '@countersign/client/core';
import { parseJson, textOfFile } from '@countersign/contracts';
import { readVerifyKeys, type VerifyKeys, verifyPermit } from '@countersign/gate';
import type { Command } from 'commander';
import { permitIn } from '../../core/permit.js';

export function permitCommands(program: Command): void {
  const permit = program.command('permit').description('permits, by hand');
  const verify = permit
    .command('verify')
    .argument('<permit>', 'a compact JWS, a file that holds one or an ActionApproved event, or - for standard input')
    .description("check a permit's signature and claims, offline, and tell what the permit allows and to whom")
    .option('--keys <file>', 'a JWKS of the public keys to trust; default: the keys in run.json')
    .option('--at <instant>', 'check its times as of this instant (ISO 8601)', (given: string) => given);
  explained(
    verify,
    ['permit verify eyJhbGciOi…', 'permit verify approved.json --keys permit-keys.json'],
    'it is not a valid permit',
  );
  acts(verify, async (s, given: string, options: { keys?: string; at?: string }) => {
    const at = options.at ?? s.now();
    if (Number.isNaN(Date.parse(at))) throw new Misused(`--at ${at}: a time such as 2026-11-21T10:00:00Z is expected`);
    const explainedPermit = verifyPermit(permitIn(textOf(given)), keysOf(s, options.keys), new Date(at).toISOString());
    const [first = '', ...rest] = printable(explainedPermit.lines);
    const tint = explainedPermit.ok ? s.paint.green : s.paint.red;
    s.answer(explainedPermit, [tint(first), ...rest].join('\n'));
    return explainedPermit.ok;
  });
}

function textOf(given: string): string {
  if (given !== '-' && !existsSync(given)) return given;
  try {
    return textOfFile(given === '-' ? 0 : given, fs);
  } catch (error) {
    throw new Misused(`${given} cannot be read: ${codeOf(error)}`);
  }
}

function keysOf(s: Session, file: string | undefined): VerifyKeys {
  const from = file ?? s.installation.from;
  if (from === undefined) {
    throw new Failure(2, 'no keys to check with: give --keys <jwks file>, or call this where `npm start` runs');
  }
  try {
    return readVerifyKeys(file === undefined ? s.installation.permitKeys : parseJson(textOfFile(file, fs)));
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message;
    throw new Failure(2, `${from}: ${reason}`);
  }
}
