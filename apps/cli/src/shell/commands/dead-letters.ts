import { randomUUID } from 'node:crypto';
import { acts, brokerOf, explained, Failure, personOf, readAll, type Session, write } from '@countersign/client';
import { count, type DeadLetterRow, Misused } from '@countersign/client/core';
import { type Event, servicesOf, sourceOf, topicNamed, topology } from '@countersign/contracts';
import type { Command } from 'commander';
import { deadLetterRows } from '../../core/dead-letters.js';
import { deadLettersText, deadLetterText } from '../../core/render.js';

const REPLAYED = 'dead-letters.replayed.v1';

interface ListOptions {
  readonly service?: string;
  readonly all?: boolean;
}

export function deadLetterCommands(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('events and jobs that a service could not handle; read from and written to Kafka');

  const list = letters
    .command('list')
    .description('what waits to be handled again, the newest first')
    .option('--service <name>', 'of one service')
    .option('--all', 'what was replayed too');
  explained(list, ['dead-letters list', 'dead-letters list --service orchestrator --json'], 'there are some');
  acts(list, async (s, options: ListOptions) => {
    const found = (await rows(s, options.service)).filter((row) => options.all || row.replayed === null);
    s.answer({ deadLetters: found }, deadLettersText(s.paint, found));
    return found.every((row) => row.replayed !== null);
  });

  const show = letters
    .command('show')
    .argument('<id>')
    .description('one dead letter: which event or job, where it is and why it failed');
  explained(show, ['dead-letters show 5b1e…'], 'there is no such dead letter');
  acts(show, async (s, id: string) => {
    const row = the(id, await rows(s));
    s.answer(row, deadLetterText(s.paint, row));
    return undefined;
  });

  const replay = letters
    .command('replay')
    .argument('[id]', 'one dead letter')
    .description('have the service handle a dead letter again; an event itself is not published again')
    .option('--all', 'every one that was not replayed yet')
    .option('--service <name>', 'with --all: of one service')
    .option('--by <name>', 'who orders it, where the console cannot be asked');
  explained(
    replay,
    ['dead-letters replay 5b1e…', 'dead-letters replay --all --service orchestrator'],
    'there is no such dead letter',
  );
  acts(replay, async (s, id: string | undefined, options: ListOptions & { by?: string }) => {
    if ((id === undefined) === (options.all !== true)) throw new Misused('say which: either one id or --all');
    const found = await rows(s, options.service);
    const wanted = id === undefined ? found.filter((row) => row.replayed === null) : [the(id, found)];
    if (wanted.length > 0) await order(s, wanted, await personOf(s, options.by));
    const ids = wanted.map(({ deadLetterId, service }) => ({ deadLetterId, service }));
    s.answer(
      { replayed: ids },
      wanted.length === 0 ? 'Nothing to replay.' : `${count(wanted.length, 'dead letter')} to be handled again.`,
    );
    return undefined;
  });
}

async function rows(s: Session, service?: string): Promise<DeadLetterRow[]> {
  const kafka = brokerOf(s.installation, 'console');
  const deployment = s.deployment();
  const services = servicesOf(deployment);
  if (service !== undefined && !(services as readonly string[]).includes(service)) {
    throw new Misused(`--service ${service}: there is ${services.join(', ')}`);
  }
  const names = services
    .filter((name) => service === undefined || name === service)
    .map((name) => `${name}.dead-letters.v1`);
  const topics = topology(deployment);
  const wanted = [...names, REPLAYED].map((name) => topicNamed(name, topics));
  return deadLetterRows(await readAll(kafka, s.installation.kafka?.bootstrap ?? '', 'console', wanted));
}

async function order(s: Session, wanted: readonly DeadLetterRow[], by: string): Promise<void> {
  const at = s.now();
  const events = wanted.map(({ deadLetterId, service }) => {
    const event: Event<'DeadLetterReplayed'> = {
      id: randomUUID(),
      source: sourceOf('console'),
      type: 'DeadLetterReplayed',
      time: at,
      subject: deadLetterId,
      data: { deadLetterId, service, by, at },
    };
    return { key: deadLetterId, event };
  });
  await write(brokerOf(s.installation, 'console'), s.installation.kafka?.bootstrap ?? '', REPLAYED, events);
}

function the(id: string, found: readonly DeadLetterRow[]): DeadLetterRow {
  const [row, second] = found.filter((one) => one.deadLetterId.startsWith(id));
  if (second) throw new Misused(`several dead letters begin with ${id}; give more of it`);
  if (!row) throw new Failure(1, `there is no dead letter ${id}`);
  return row;
}
