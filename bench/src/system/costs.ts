import type { Load } from '../arguments.js';
import type { Figure } from '../figure.js';
import type { Asked, Usage } from './usage.js';

export const servers: readonly string[] = ['kafka', 'postgres'];
const mega = 1024 * 1024;

/** What was used between two moments, and what it is divided by. */
export interface Spent {
  readonly load: Load;
  readonly before: Usage;
  readonly after: Usage;
  /** Of a load; at rest there are none, and a figure is per second. */
  readonly actions?: number;
}

/** The end of the ids of a load's figures. The figures of the saturating load have the same ids as always. */
export const suffixOf = (load: Load): string => (load === 'full' ? '' : `@${load}`);

/** f: what everything used, for each executed action or, at rest, in each second. */
export function costsOf({ load, before, after, actions }: Spent): Figure[] {
  const seconds = (after.at - before.at) / 1000;
  const by = actions ?? seconds;
  const end = suffixOf(load);
  const what = actions === undefined ? ' at rest' : ` per executed action${load === 'full' ? '' : ` at ${load}/s`}`;
  const figures: Figure[] = [];
  const add = (id: string, text: string, value: number, unit: string, more: Partial<Figure> = {}): void => {
    figures.push({ id: `f.${id}${end}`, what: `${text}${what}`, value, unit, ...more });
  };
  const floor = (id: string): Partial<Figure> => (load === 'full' ? { floor: id } : {});

  const cpu = [...after.processes].map(([name, { cpuMs }]) => {
    const ms = cpuMs - (before.processes.get(name)?.cpuMs ?? 0);
    // A second of a core has 1,000 ms.
    return { name, value: actions === undefined ? ms / (10 * seconds) : ms / actions };
  });
  const unit = actions === undefined ? '% of a core' : 'CPU-ms';
  const sum = (some: typeof cpu): number => some.reduce((total, { value }) => total + value, 0);
  if (cpu.length > 0) {
    const ofServices = cpu.filter(({ name }) => !servers.includes(name));
    add('cpu.all', 'processor time of services, Kafka and Postgres', sum(cpu), unit);
    add('cpu', 'processor time of all services', sum(ofServices), unit, {
      ...floor('f1.cpu'),
      ...(load === 'full' && { note: 'over the run of b.rate, everything that follows a settlement included' }),
    });
  }
  const floorOfCpu: Readonly<Record<string, string>> = { kafka: 'f1.cpu.kafka', postgres: 'f2.cpu.postgres' };
  for (const { name, value } of cpu) {
    const id = floorOfCpu[name];
    add(`cpu.${name}`, `processor time of ${name}`, value, unit, id === undefined ? {} : floor(id));
  }

  const each = actions === undefined ? '/s' : '';
  add('transactions', 'transactions', (after.transactions - before.transactions) / by, each, {
    ...noteOf(before, after, by, 'commits', 'begun and committed'),
  });
  if (before.asked && after.asked) {
    const count = totalOf(after.asked, 'statements') - totalOf(before.asked, 'statements');
    add('statements', 'statements', count / by, each, noteOf(before, after, by, 'statements', 'sent'));
  }

  const bytes: readonly (readonly [string, string, string, number | undefined, number | undefined])[] = [
    ['topics', 'f1', 'bytes on topics', before.topicBytes, after.topicBytes],
    ['database', 'f2', 'bytes of the database', before.databaseBytes, after.databaseBytes],
    ['wal', 'f2', "bytes of the database's log", before.walBytes, after.walBytes],
  ];
  for (const [id, floorId, text, from, to] of bytes)
    if (from !== undefined && to !== undefined)
      add(`bytes.${id}`, text, (to - from) / by, actions === undefined ? 'B/s' : 'B', floor(`${floorId}.bytes.${id}`));
  return figures;
}

/** f: the memory of processes at a moment that `when` describes. */
export function memoryOf({ processes }: Usage, load: Load, when: string): Figure[] {
  const floors: Readonly<Record<string, string>> = { kafka: 'f1.memory.kafka', postgres: 'f2.memory.postgres' };
  const figure = (id: string, text: string, bytes: number, floor?: string): Figure => ({
    id: `f.memory${id}${suffixOf(load)}`,
    what: `memory of ${text} ${when}`,
    value: bytes / mega,
    unit: 'MB',
    ...(load === 'full' && floor !== undefined && { floor }),
  });
  if (processes.size === 0) return [];
  const ofServices = [...processes].filter(([name]) => !servers.includes(name));
  const total = ofServices.reduce((sum, [, { rssBytes }]) => sum + rssBytes, 0);
  return [
    figure('', 'all services', total),
    ...[...processes].map(([name, { rssBytes }]) => figure(`.${name}`, name, rssBytes, floors[name] ?? 'f1.memory')),
  ];
}

const totalOf = (asked: ReadonlyMap<string, Asked>, what: keyof Asked): number =>
  [...asked.values()].reduce((sum, counts) => sum + counts[what], 0);

/** How a count is shared among logins, the largest share first. */
function noteOf(before: Usage, after: Usage, by: number, what: keyof Asked, how: string): Partial<Figure> {
  if (!before.asked || !after.asked) return {};
  const shares = [...after.asked]
    .map(([login, counts]) => ({ login, share: (counts[what] - (before.asked?.get(login)?.[what] ?? 0)) / by }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share);
  const text = shares.map(({ login, share }) => `${login} ${share.toFixed(1)}`).join(', ');
  return text === '' ? {} : { note: `${how} by ${text}` };
}
