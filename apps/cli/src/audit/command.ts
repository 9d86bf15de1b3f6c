import { readFileSync } from 'node:fs';
import { parseJson } from '@countersign/contracts';
import { STATE_MAX_AGE_SECONDS } from '@countersign/gate';
import type { Command } from 'commander';
import { Misused } from '../core/edit.js';
import { acts, explained } from '../shell/command.js';
import { codeOf } from '../shell/failure.js';
import { checkInvariants } from './check.js';
import { gather } from './gather.js';
import { auditText } from './report.js';

interface Options {
  readonly grace: string;
  readonly tolerance: string;
  readonly keys?: string;
}

/** `countersign audit invariants`. */
export function auditCommands(program: Command): void {
  const audit = program.command('audit').description('what the topics and the record say of the promises made');
  const command = audit
    .command('invariants')
    .description(
      'read every topic and the whole record, and check: no effect without a permit, none twice, nothing lost, no limit passed, ' +
        'no consent broken, reservations add up, stops obeyed, every change of state binds, the record is whole',
    )
    .option('--grace <seconds>', 'how long a step may take before it counts as lost', '60')
    .option(
      '--tolerance <seconds>',
      'how long a stop or a withdrawal may take to be read by an executor',
      String(STATE_MAX_AGE_SECONDS),
    )
    .option('--keys <file>', 'the JWKS that permits are verified with, old keys included; else that of run.json');
  explained(
    command,
    ['audit invariants', 'audit invariants --grace 10 --tolerance 1', 'audit invariants --json'],
    'something must not be so',
  );
  acts(command, async (s, options: Options) => {
    const report = checkInvariants(
      await gather(s, {
        graceSeconds: seconds('--grace', options.grace),
        toleranceSeconds: seconds('--tolerance', options.tolerance),
        keys: options.keys === undefined ? s.installation.permitKeys : jsonIn(options.keys),
      }),
    );
    s.answer(report, auditText(s.paint, report));
    return report.ok;
  });
}

function seconds(option: string, text: string): number {
  const given = Number(text);
  if (text.trim() === '' || !(given >= 0)) throw new Misused(`${option} ${text}: a number of seconds is expected`);
  return given;
}

function jsonIn(file: string): unknown {
  try {
    return parseJson(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Misused(`${file} cannot be read as JSON: ${codeOf(error)}`);
  }
}
