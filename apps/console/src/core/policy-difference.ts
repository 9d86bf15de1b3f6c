import { type Charter, money, own, type PolicyContent } from '@countersign/contracts';

/** One setting that differs between two policies. A side without the setting is null. */
export interface Difference {
  /** The file of the setting, by its usual name. A file of charters, plays or sequences may have another name. */
  readonly file: string;
  /** The path to the setting in that file, such as `limits.sendsPerHour` or `tasks.0.kinds`; empty for the whole file. */
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Lists of parts. Each part is a file of its own. */
const named = {
  charters: (content: PolicyContent) => content.charters.map((charter) => [charter.agent, charter] as const),
  plays: (content: PolicyContent) => content.plays.map((play) => [play.id, play] as const),
  sequences: (content: PolicyContent) => content.sequences.map((sequence) => [sequence.id, sequence] as const),
} satisfies Partial<Record<keyof PolicyContent, unknown>>;

/** Parts that are a file of their own as a whole. Exhaustive: a new part of the policy is added here or above. */
const whole: Readonly<Record<Exclude<keyof PolicyContent, keyof typeof named>, string>> = {
  rules: 'rules.yaml',
  routes: 'routes.yaml',
  rates: 'rates.yaml',
};

/** The differences of one policy to another, or to none, by file and path. Two policies with the same meaning have none. */
export function policyDifferences(before: PolicyContent | null, after: PolicyContent): Difference[] {
  const found: Difference[] = [];
  for (const [folder, list] of Object.entries(named)) {
    const old = new Map<string, object>(before ? list(before) : []);
    const now = new Map<string, object>(list(after));
    for (const id of [...new Set([...old.keys(), ...now.keys()])].sort())
      compare(place(`${folder}/${id}.yaml`, old.get(id), now.get(id)), [], old.get(id), now.get(id), found);
  }
  for (const [part, file] of Object.entries(whole))
    compare(place(file, undefined, undefined), [], before ? own(before, part) : undefined, own(after, part), found);
  return found;
}

interface Place {
  readonly file: string;
  /** The currency of the amounts on each side, if the part names one. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

const currencyOf = (part: object | undefined): string | undefined =>
  part && 'currency' in part ? (part as Pick<Charter, 'currency'>).currency : undefined;
const place = (file: string, before: object | undefined, after: object | undefined): Place => ({
  file,
  before: currencyOf(before),
  after: currencyOf(after),
});

function compare(where: Place, path: readonly string[], before: unknown, after: unknown, found: Difference[]): void {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  if (isRecord(before) && isRecord(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
      compare(where, [...path, name], own(before, name), own(after, name), found);
    return;
  }
  if (isListOfRecords(before) && isListOfRecords(after)) {
    for (const [n, old, now] of paired(before, after)) compare(where, [...path, String(n)], old, now, found);
    return;
  }
  const name = path.at(-1) ?? '';
  found.push({
    file: where.file,
    path: path.join('.'),
    before: shown(before, name, where.before),
    after: shown(after, name, where.after),
  });
}

/**
 * Pairs the entries of two lists, with their places. Equal entries at both ends are paired with each other. So an entry that was
 * inserted is one difference, and the entries behind it are none.
 */
function paired(before: readonly unknown[], after: readonly unknown[]): [number, unknown, unknown][] {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && same(before.at(head), after.at(head))) head += 1;
  let tail = 0;
  while (tail < shorter - head && same(before.at(-1 - tail), after.at(-1 - tail))) tail += 1;
  const old = before.slice(head, before.length - tail);
  const now = after.slice(head, after.length - tail);
  return Array.from({ length: Math.max(old.length, now.length) }, (_, n) => [head + n, old[n], now[n]]);
}

function shown(value: unknown, name: string, currency: string | undefined): string | null {
  if (value === undefined) return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && name.endsWith('Minor') && currency) return money(value, currency);
  if (Array.isArray(value) && value.every((entry) => typeof entry !== 'object'))
    return value.length === 0 ? 'none' : value.join(', ');
  return JSON.stringify(value, null, 2);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOfRecords = (value: unknown): value is Record<string, unknown>[] =>
  Array.isArray(value) && value.length > 0 && value.every(isRecord);
