import { topology } from '@countersign/contracts';
import kafkajs from 'kafkajs';
import type { Bench, Figure } from '../figure.js';
import type { System } from './installation.js';

/** Six events for each that becomes known: the signal, what was accepted, two profiles, consents, contact points. */
export const peopleForRecord = (quick: boolean): number => (quick ? 700 : 7_500);

/** c: events that wait for the recorder, to their leaves. `fill` makes them. */
export async function measureRecord(bench: Bench, system: System, fill: () => Promise<void>): Promise<Figure[]> {
  await system.stopService('audit-recorder');
  await fill();
  const waiting = await onTopics(system);
  const size = async (): Promise<number> =>
    Number((await system.query<{ size: string }>('SELECT size FROM audit_recorder.log_head'))[0]?.size);
  const from = await size();
  bench.say(`c: ${waiting - from} events wait for the recorder`);
  await system.startService('audit-recorder');
  const endedAt = await system.profiled('c', () =>
    system.until('appends', async () => ((await size()) >= waiting ? Date.now() : undefined), 50),
  );
  const [row] = await system.query<{ first: Date; count: number }>(
    `SELECT min(at) AS first, count(*)::int AS count FROM audit_recorder.leaves WHERE index >= $1`,
    [from],
  );
  const events = await onTopics(system);
  if (row?.count !== events - from) bench.wrong(`c: ${row?.count} leaves for ${events - from} events`);
  return [
    {
      id: 'c.rate',
      what: 'events appended to the record',
      value: ((waiting - from) * 1000) / (endedAt - (row?.first.getTime() ?? 0)),
      unit: '/s',
      floor: 'f3.rate',
      aim: { text: '8,000/s', met: (value) => value >= 8_000 },
      note: `${waiting - from} events waited; everything else running, and idle`,
    },
  ];
}

/** How many events there are on the topics that the recorder reads. */
async function onTopics({ running }: System): Promise<number> {
  const kafka = new kafkajs.Kafka({
    clientId: 'bench',
    ...running.kafka('audit-recorder'),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const recorded = topology().filter(({ readers }) => readers.includes('audit-recorder'));
    const ends = await Promise.all(recorded.map(({ name }) => admin.fetchTopicOffsets(name)));
    return ends.flat().reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  } finally {
    await admin.disconnect();
  }
}
