import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@countersign/servers';

/** The plays of the benchmark: each takes one signal of one person to one enrolment, in a sequence of the same name. */
export const plays = ['bench-warm', 'bench-b', 'bench-d', 'bench-d2'] as const;
export type BenchPlay = (typeof plays)[number];
/** Sequences without a play: the benchmark itself proposes enrolments in them. */
const sequences = [...plays, 'bench-a', 'bench-a-alone'] as const;
export type BenchSequence = (typeof sequences)[number];

const dayS = 86_400;

/** What the rules as shipped ask of each message. */
export const footer = 'Example GmbH. To get no more of these messages, reply with "stop".\n';

/**
 * The configuration as shipped, with plays that one signal starts, and without the limits that would stop every load: messages and
 * actions of an agent in an hour, and touches of a contact in a day. All rules stay on.
 */
export function configure(folder: string): void {
  cpSync(join(workspaceRoot, 'deploy/config'), folder, { recursive: true });
  // JSON is YAML.
  const write = (kind: string, id: string, content: object): void =>
    writeFileSync(join(folder, kind, `${id}.yaml`), `${JSON.stringify(content, null, 2)}\n`);
  for (const id of plays) {
    write('plays', id, {
      id,
      title: 'One person engages',
      freshWithinDays: 8,
      trigger: {
        pattern: 'distinct-contacts',
        signal: 'ContentEngaged',
        where: { topic: id },
        account: {},
        contacts: 1,
        withinDays: 8,
      },
      coolDownDays: 14,
      tasks: [
        {
          agent: 'sequencing-agent',
          purpose: 'Follow up with the person who engaged',
          kinds: ['sequence.enroll', 'email.send'],
          dueInMinutes: 60,
          settings: { sequence: id, sendAheadSeconds: 8 },
        },
      ],
    });
  }
  for (const id of sequences) {
    const body = `Hello {{contact.firstName}}\n${footer}`;
    const step = { template: `${id}-later`, subject: 'For {{contact.lastName}}', body };
    // So far away that no step is due during a measurement.
    write('sequences', id, { id, purpose: 'sales', steps: [{ ...step, afterSeconds: 30 * dayS }] });
  }
  for (const limit of ['sendsPerHour', 'actionsPerHour', 'accountActionsPerHour']) {
    change(join(folder, 'charters/sequencing-agent.yaml'), new RegExp(`^( {2}${limit}:).*$`, 'm'), '$1 1000000');
  }
  // All that is proposed about a person is of one task.
  change(join(folder, 'charters/sequencing-agent.yaml'), /^( {2}reviewsWaiting:.*)$/m, '$1\n  proposalsPerTask: 10000');
  change(join(folder, 'rules.yaml'), /^( {2}touches:).*$/m, '$1 1000000');
}

function change(file: string, what: RegExp, to: string): void {
  const text = readFileSync(file, 'utf8');
  if (!what.test(text)) throw new Error(`${file} has no line ${what}`);
  writeFileSync(file, text.replace(what, to));
}
