import fs, { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { acts, brokerOf, codeOf, explained, Failure, inspected, readAll, type Session } from '@countersign/client';
import { Misused } from '@countersign/client/core';
import { type Policy, type Topic, textOfFile, topicNamed, topology } from '@countersign/contracts';
import { readSigningKey, type SigningKey } from '@countersign/gate';
import type { Command } from 'commander';
import { probeText, resultOf } from './report.js';
import { type ProbeWith, probe } from './run.js';
import { probeWire } from './wire.js';

interface Options {
  readonly signingKey?: string;
  readonly lead: string;
  readonly patience: string;
  readonly report: boolean;
}

/** `countersign probe`. */
export function probeCommands(program: Command): void {
  const command = program
    .command('probe')
    .description(
      'try every known way around the gate of a running installation, on campaigns and contacts of its own in the sandbox systems: ' +
        'nothing may run, everything must leave a record, and the honest twin of each must run once',
    )
    .option('--signing-key <file>', "the validator's private JWK; default: permit-signing.jwk in .countersign/secrets")
    .option(
      '--lead <seconds>',
      'how many seconds ahead the test messages are planned, so that something can happen before they run',
      '20',
    )
    .option('--patience <seconds>', 'how long to wait for an answer', '60')
    .option('--no-report', 'do not tell the console that this runs, how far it is, and what it found');
  explained(
    command,
    ['probe', 'probe --json', 'probe --lead 60 --patience 120'],
    'something ran, left no record, or kept its honest twin from running',
  );
  acts(command, async (s, options: Options) => {
    const { installation } = s;
    const [leadMs, patienceMs] = [seconds('--lead', options.lead), seconds('--patience', options.patience)];
    const signingKey = signingKeyIn(s, options.signingKey);
    const bootstrap = installation.kafka?.bootstrap ?? '';
    // If the caller has no login, this is reported first.
    brokerOf(installation, 'console');
    const deployment = s.deployment();
    const topics = topology(deployment);
    const policy = await policyInForce(s, bootstrap, topics);
    const permitKeys = installation.permitKeys as ProbeWith['permitKeys'];
    let wire: Awaited<ReturnType<typeof probeWire>>;
    try {
      wire = await probeWire((principal) => brokerOf(installation, principal), topics);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(2, `Kafka at ${bootstrap}: ${codeOf(error)}: is \`npm start\` running?`);
    }
    try {
      const using = { policy, deployment, permitKeys, signingKey, leadMs, patienceMs };
      const report = await inspected(s, { kind: 'probe', report: options.report }, async (onProgress) => {
        const answer = await probe(s, wire, { ...using, onProgress });
        return { answer, result: resultOf(answer) };
      });
      s.answer(report, probeText(s.paint, report));
      return report.ok;
    } finally {
      await wire.close();
    }
  });
}

async function policyInForce(s: Session, bootstrap: string, topics: readonly Topic[]): Promise<Policy> {
  const topic = topicNamed('policies.v1', topics);
  const found = await readAll(brokerOf(s.installation, 'console'), bootstrap, 'console', [topic]);
  const policies = found.flatMap((event) => (event.type === 'PolicyPublished' ? [event.data] : []));
  const newest = policies.sort((a, b) => b.version - a.version)[0];
  if (!newest) throw new Failure(2, 'no policy is in force, so nothing can be approved: countersign policy publish');
  return newest;
}

function signingKeyIn({ installation }: Session, given: string | undefined): SigningKey | undefined {
  const beside = installation.from && join(dirname(installation.from), 'secrets', 'permit-signing.jwk');
  const file = given ?? (beside && existsSync(beside) ? beside : undefined);
  if (file === undefined) return undefined;
  try {
    return readSigningKey(JSON.parse(textOfFile(file, fs)));
  } catch (error) {
    // If a file exists but this caller may not read it, and the caller did not ask for it, it counts as absent.
    if (given === undefined) return undefined;
    throw new Misused(`--signing-key ${file}: no private JWK can be read there (${codeOf(error)})`);
  }
}

function seconds(option: string, text: string): number {
  if (!(Number(text) > 0)) throw new Misused(`${option} ${text}: a number of seconds is expected`);
  return Number(text) * 1_000;
}
