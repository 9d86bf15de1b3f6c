import type { Bench, Figure } from '../figure.js';
import type { System } from './installation.js';

/** Six events for each that becomes known: the signal, what was accepted, two profiles, consents, contact points. */
export const peopleForRecord = (quick: boolean): number => (quick ? 700 : 7_500);

/** c: events that wait for the recorder, to their leaves. `fill` makes them. */
export async function measureRecord(bench: Bench, system: System, fill: () => Promise<void>): Promise<Figure[]> {
  await system.stopService('audit-recorder');
  await fill();
  const waiting = await system.events();
  const size = async (): Promise<number> =>
    Number((await system.query<{ size: string }>('SELECT size FROM audit_recorder.log_head'))[0]?.size);
  const from = await size();
  bench.log(`c: ${waiting - from} events wait for the recorder`);
  // Looked at from the start on: it may append before it is called healthy.
  const appended = system.until('appends', async () => ((await size()) >= waiting ? Date.now() : undefined), {
    everyMs: 50,
    forMs: 600_000,
  });
  const started = system.startService('audit-recorder').then(() => system.profiled('c', () => appended));
  const [endedAt] = await Promise.all([appended, started]);
  const [row] = await system.query<{ first: Date; count: number }>(
    `SELECT min(at) AS first, count(*)::int AS count FROM audit_recorder.leaves WHERE index >= $1`,
    [from],
  );
  const events = await system.events();
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
