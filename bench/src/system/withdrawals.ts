import { setTimeout as sleep } from 'node:timers/promises';
import { kafkajs } from '@countersign/kafka';
import type { Bench, Figure } from '../figure.js';
import { percentile } from '../percentile.js';
import { eachEnds, settledTopic, verdictTopics } from './ends.js';
import type { System } from './installation.js';
import { atRest, type Known, people } from './people.js';
import { assignTasks, message, proposer } from './proposals.js';
import { inboundTopic, unsubscribed } from './signals.js';
import { tooQuiet } from './too-quiet.js';
import { peopleForVerdicts } from './verdicts.js';

const sizes = (quick: boolean) => (quick ? { groups: 1, together: 5 } : { groups: 6, together: 5 });
/** Each of a group's people is written to so often, for so long after the last of them has withdrawn. */
const everyMs = 50;
const afterMs = 2_000;
/** Nobody withdraws before so many messages have reached everybody of the group. */
const messagesFirst = 15;
/** Permits for messages at the full seconds that follow: given before the withdrawal, due before, at and after it. */
const planned = 8;
/** If a message comes later than this after a withdrawal, it was not already under way. */
const lateMs = 1_500;

/** People who were enrolled by other measurements do as well, but those that (a) proposes to must not have withdrawn. */
const firstPerson = peopleForVerdicts;
export const peopleForWithdrawals = (quick: boolean): number =>
  firstPerson(quick) + sizes(quick).groups * sizes(quick).together;

/** e: a withdrawal of consent while messages go out, until the last message in the connected system. */
export async function measureWithdrawals(bench: Bench, system: System): Promise<Figure[]> {
  const { groups, together } = sizes(bench.quick);
  const known = await people(system, firstPerson(bench.quick), groups * together);
  await assignTasks(system, known);
  const withdrawn = new Map<Known, number>();
  const proposed: string[] = [];
  const meter = await system.meter([...verdictTopics, settledTopic]);
  const out = await proposer(system);
  const upstream = new kafkajs.Kafka({
    clientId: 'bench-upstream',
    ...system.running.kafka('upstream'),
    logLevel: kafkajs.logLevel.NOTHING,
  }).producer({ allowAutoTopicCreation: false });
  await upstream.connect();
  const propose = (due: readonly (readonly [Known, number])[]): Promise<void> => {
    const at = new Date().toISOString();
    return out.publish(
      due.map(([person, sendAt]) => {
        const chain = `bench-e/${person.n}/${proposed.length}`;
        proposed.push(chain);
        return message(person, chain, at, new Date(sendAt).toISOString());
      }),
    );
  };
  const withdraw = (person: Known): Promise<unknown> => {
    withdrawn.set(person, performance.timeOrigin + performance.now());
    return upstream.send({ topic: inboundTopic, acks: -1, messages: [unsubscribed(person.n)] });
  };

  try {
    bench.log(`e: ${known.length} people withdraw while a message to each is due every ${everyMs} ms`);
    for (let group = 0; group < groups; group++) {
      bench.signal.throwIfAborted();
      const members = known.slice(group * together, (group + 1) * together);
      const second = Math.ceil(Date.now() / 1000) * 1000;
      const ahead = Array.from({ length: planned }, (_, n) => second + (n + 1) * 1000);
      const sending: Promise<unknown>[] = [
        propose(members.flatMap((member) => ahead.map((at) => [member, at] as const))),
      ];
      const before = meter.executed();
      await system.until(
        'messages before a withdrawal',
        async () => {
          // A time that is past by a full second is due at once: permits count in seconds.
          sending.push(propose(members.map((member) => [member, Date.now() - 1_000] as const)));
          return meter.executed() - before >= messagesFirst * members.length ? true : undefined;
        },
        { everyMs },
      );
      // They withdraw at independent moments.
      const due = members.map(() => Date.now() + Math.random() * 1_000);
      for (let last = Date.now(); Date.now() < last + afterMs; await sleep(everyMs)) {
        sending.push(propose(members.map((member) => [member, Date.now() - 1_000] as const)));
        for (const [n, person] of members.entries()) {
          if (withdrawn.has(person)) continue;
          last = Date.now();
          if (last >= (due[n] ?? 0)) sending.push(withdraw(person));
        }
      }
      await Promise.all(sending);
    }
    await sleep((planned + 1) * 1000);
    await atRest(system);
    const chains = await meter.report('bench-e/');
    eachEnds(bench, 'e', proposed, chains);
  } finally {
    await meter.stop();
    await out.close();
    await upstream.disconnect();
  }
  return figuresOf(bench, withdrawn, await messages(system, known));
}

async function messages({ query }: System, known: readonly Known[]): Promise<Map<string, number[]>> {
  const rows = await query<{ contact: string; at: number }>(
    `SELECT contact_id::text AS contact, extract(epoch FROM sent_at)::float8 * 1000 AS at
     FROM sandbox_systems.messages WHERE contact_id = ANY($1) ORDER BY 2`,
    [known.map(({ contactId }) => contactId)],
  );
  const found = new Map<string, number[]>();
  for (const { contact, at } of rows) found.set(contact, [...(found.get(contact) ?? []), at]);
  return found;
}

function figuresOf(
  bench: Bench,
  withdrawn: ReadonlyMap<Known, number>,
  sent: ReadonlyMap<string, readonly number[]>,
): Figure[] {
  const trials = [...withdrawn].map(([{ n, contactId }, at]) => {
    const ofThem = sent.get(contactId) ?? [];
    const before = ofThem.filter((time) => time > at - 1_000 && time <= at).length;
    return { n, before, last: Math.max(0, (ofThem.at(-1) ?? 0) - at) };
  });
  // If there are hardly any messages, the time of the last one says nothing about a withdrawal.
  const good = trials.filter(({ before }) => before >= 5);
  const leftOut = tooQuiet(trials.length, good.length, 'withdrew while fewer than 5 messages a second came');
  if (leftOut.many) bench.wrong(`e: ${leftOut.detail}`);
  // A late message is a fault, however few came before.
  for (const { n, last } of trials)
    if (last > lateMs) bench.wrong(`e: a message to person ${n} ${last.toFixed(0)} ms after they withdrew`);
  const times = good.map(({ last }) => last);
  if (times.length === 0) return [];
  const aim = { text: '< 500 ms', met: (value: number) => value < 500 };
  return [
    {
      id: 'e.p50',
      what: 'withdrawal published to last message, median',
      value: percentile(times, 50),
      unit: 'ms',
      floor: 'f1.p50@200',
    },
    {
      id: 'e.p99',
      what: 'withdrawal published to last message, 99th percentile',
      value: percentile(times, 99),
      unit: 'ms',
      floor: 'f1.p99@200',
      aim,
      note: `${times.length} people, each written to every ${everyMs} ms and at ${planned} full seconds by permits of before; nothing after it${leftOut.note}`,
    },
  ];
}
