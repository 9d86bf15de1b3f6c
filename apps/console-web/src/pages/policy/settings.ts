import type { Answer } from '../../app/answers.js';
import { money } from '../../parts/money.js';
import { agentPath, playPath } from '../../parts/paths.js';
import { labelOf } from './setting-labels.js';

export type Content = Answer<'policyRoutes_version'>['content'];

export interface Setting {
  /** The place in the file, such as `limits.sendsPerHour` or `tasks.0.kinds`, as the differences of two policies name it. */
  readonly path: string;
  /** What it is, in plain words; its path if there are none. */
  readonly label: string;
  readonly value: string;
}

/** A file of the configuration folder, by its usual name, as a policy has it. */
export interface PolicyFile {
  readonly file: string;
  readonly settings: readonly Setting[];
  /** The page that says the same in plain words, if the policy is in force. */
  readonly page?: { readonly to: string; readonly title: string };
}

type Charters = Content['charters'];

/** Exhaustive: a new part of the policy is added here. */
const parts: {
  readonly [Part in keyof Content]-?: (part: Content[Part], charters: Charters) => readonly PolicyFile[];
} = {
  rules: (rules) => [{ file: 'rules.yaml', settings: settingsOf('rules', rules) }],
  routes: (routes) => [{ file: 'routes.yaml', settings: settingsOf('routes', routes) }],
  rates: (rates) => (rates === undefined ? [] : [{ file: 'rates.yaml', settings: settingsOf('rates', rates) }]),
  charters: (charters) =>
    charters.map((charter) => ({
      file: `charters/${charter.agent}.yaml`,
      settings: settingsOf('charters', charter, [charter.currency]),
      page: { to: agentPath(charter.agent), title: `The page of ${charter.agent}` },
    })),
  plays: (plays, charters) =>
    plays.map((play) => ({
      file: `plays/${play.id}.yaml`,
      settings: settingsOf('plays', play, currenciesOf(play, charters)),
      page: { to: playPath(play.id), title: `The page of “${play.title}”` },
    })),
  sequences: (sequences) =>
    sequences.map((sequence) => ({
      file: `sequences/${sequence.id}.yaml`,
      settings: settingsOf('sequences', sequence),
    })),
};

/** An agent may act only in the currency of its charter. */
const currenciesOf = ({ tasks }: Content['plays'][number], charters: Charters): readonly string[] => [
  ...new Set(
    charters.filter(({ agent }) => tasks.some((task) => task.agent === agent)).map(({ currency }) => currency),
  ),
];

/** What a policy says, by file. */
export const filesOf = (content: Content): readonly PolicyFile[] => [
  ...parts.rules(content.rules, content.charters),
  ...parts.routes(content.routes, content.charters),
  ...parts.rates(content.rates, content.charters),
  ...parts.charters(content.charters, content.charters),
  ...parts.plays(content.plays, content.charters),
  ...parts.sequences(content.sequences, content.charters),
];

/** The settings with these words in their label, place or value. If a file has the words in its name, all of its settings. */
export function found(files: readonly PolicyFile[], words: string): readonly PolicyFile[] {
  const sought = words.trim().toLowerCase();
  const has = (text: string): boolean => text.toLowerCase().includes(sought);
  return files.flatMap((file) => {
    if (has(file.file)) return [file];
    const settings = file.settings.filter(({ path, label, value }) => [path, label, value].some(has));
    return settings.length === 0 ? [] : [{ ...file, settings }];
  });
}

/** Each value that is no record, with its path. Amounts are in these currencies, if the file has any. */
function settingsOf(part: keyof Content, content: object, currencies: readonly string[] = []): readonly Setting[] {
  const settings: Setting[] = [];
  const collect = (names: readonly string[], value: unknown): void => {
    if (typeof value === 'object' && value !== null && !isPlainList(value))
      for (const [name, member] of Object.entries(value)) collect([...names, name], member);
    else if (value !== undefined && value !== null) {
      const path = names.join('.');
      settings.push({ path, label: labelOf(part, path) ?? path, value: shown(value, names.at(-1) ?? '', currencies) });
    }
  };
  collect([], content);
  return settings;
}

const isPlainList = (value: unknown): value is readonly unknown[] =>
  Array.isArray(value) && value.every((entry) => typeof entry !== 'object');

function shown(value: unknown, name: string, currencies: readonly string[]): string {
  if (isPlainList(value)) return value.length === 0 ? 'none' : value.join(', ');
  if (typeof value !== 'number' || !name.endsWith('Minor')) return String(value);
  return currencies.length === 0
    ? `${value} of the smallest units of its currency, such as cents`
    : currencies.map((currency) => money(value, currency)).join(' or ');
}
