import fs from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { acts, brokerOf, codeOf, explained, inspected, type OnProgress } from '@countersign/client';
import { Misused } from '@countersign/client/core';
import { auditPrincipal, parseJson, textOfFile } from '@countersign/contracts';
import { STATE_MAX_AGE_SECONDS } from '@countersign/gate';
import type { Command } from 'commander';
import { type AuditReport, checkOneByOne, invariantCount } from './check.js';
import { gather } from './gather.js';
import type { Observed } from './observed.js';
import { auditText, resultOf } from './report.js';

interface Options {
  readonly grace: string;
  readonly tolerance: string;
  readonly keys?: string;
  readonly judge: string;
  readonly report: boolean;
}

/** `countersign audit invariants`. */
export function auditCommands(program: Command): void {
  const audit = program.command('audit').description('checks of the promises against the topics and the record');
  const command = audit
    .command('invariants')
    .description(
      'read every topic and the whole record, and check: no effect without a permit, each verdict given under the published policy ' +
        'and the same when it is judged again, no effect twice, nothing lost, no limit passed, ' +
        'no consent broken, reservations add up, stops obeyed, every change of state binds, the record is whole',
    )
    .option('--grace <seconds>', 'how long a step may take before it counts as lost', '60')
    .option(
      '--tolerance <seconds>',
      'how long a stop or a withdrawal may take to be read by an executor',
      String(STATE_MAX_AGE_SECONDS),
    )
    .option(
      '--judge <number|all>',
      'how many verdicts to judge again from stored facts, evenly spread over the time',
      '200',
    )
    .option(
      '--keys <file>',
      'a JWKS of the keys that permits are verified with, old keys included; default: the keys in run.json',
    );
  command.option('--no-report', 'do not tell the console that this runs, how far it is, and what it found');
  explained(
    command,
    ['audit invariants', 'audit invariants --judge all', 'audit invariants --grace 10 --tolerance 1 --json'],
    'at least one promise does not hold',
  );
  acts(command, async (s, options: Options) => {
    const given = {
      graceSeconds: seconds('--grace', options.grace),
      toleranceSeconds: seconds('--tolerance', options.tolerance),
      judge: verdictsToJudge(options.judge),
      keys: options.keys === undefined ? s.installation.permitKeys : jsonIn(options.keys),
    };
    // If the caller has no login or no configuration, this is reported before the console learns of an audit.
    brokerOf(s.installation, auditPrincipal);
    s.deployment();
    const report = await inspected(s, { kind: 'invariants', report: options.report }, async (onProgress) => {
      const answer = await checked(await gather(s, given, onProgress), onProgress);
      return { answer, result: resultOf(answer) };
    });
    s.answer(report, auditText(s.paint, report));
    return report.ok;
  });
}

async function checked(observed: Observed, onProgress: OnProgress): Promise<AuditReport> {
  onProgress(`judging ${observed.again.chosen.length} verdicts again, and checking the invariants`);
  const checking = checkOneByOne(observed);
  for (let done = 0, step = checking.next(); ; done += 1, step = checking.next()) {
    if (step.done) return step.value;
    onProgress(`checking: ${step.value}`, done, invariantCount);
    // A check uses the processor for a while, so progress is reported before it.
    await turn();
  }
}

function verdictsToJudge(text: string): number | 'all' {
  if (text === 'all') return text;
  if (!/^\d{1,9}$/.test(text)) throw new Misused(`--judge ${text}: a number of verdicts is expected, or all`);
  return Number(text);
}

function seconds(option: string, text: string): number {
  const given = Number(text);
  if (text.trim() === '' || !(given >= 0)) throw new Misused(`${option} ${text}: a number of seconds is expected`);
  return given;
}

function jsonIn(file: string): unknown {
  try {
    return parseJson(textOfFile(file, fs));
  } catch (error) {
    throw new Misused(`${file} cannot be read as JSON: ${codeOf(error)}`);
  }
}
