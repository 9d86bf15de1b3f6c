/** Parts of the pages that can change, by the names of their queries. */
export const parts = [
  ...(['session', 'funnel', 'services', 'reviews', 'facts', 'controls', 'stories', 'agents', 'plays'] as const),
  ...(['policy', 'sources', 'dead-letters', 'people', 'record', 'notifications'] as const),
] as const;
export type Part = (typeof parts)[number];

/** The state of the tables at one moment, in short: for each part a text that changes when anything in the part changes. */
export type Sights = ReadonlyMap<string, string>;

/** Which parts of the pages show a sight. A sight that is not listed belongs only to the stories. */
const shownBy: readonly (readonly [sight: RegExp, parts: readonly Part[]])[] = [
  [/^counts signals/, ['funnel', 'sources', 'people', 'stories']],
  [/^counts tasks/, ['funnel', 'reviews', 'plays', 'agents', 'stories']],
  [/^counts proposals/, ['funnel', 'agents', 'plays', 'stories']],
  [/^counts verdicts/, ['funnel', 'reviews', 'facts', 'agents', 'plays', 'people', 'stories']],
  [/^counts reviews/, ['funnel', 'reviews', 'agents', 'plays', 'stories']],
  [/^counts (settled|permits)/, ['funnel', 'reviews', 'facts', 'agents', 'plays', 'people', 'stories']],
  [/^counts dead-letters/, ['funnel', 'dead-letters', 'services']],
  [/^counts gaps/, ['services', 'funnel']],
  [/^counts reveals/, ['people']],
  [/^counts record/, ['record']],
  [/^(counts )?inspections/, ['record']],
  [/^own controls/, ['controls', 'reviews', 'facts', 'funnel', 'agents', 'plays']],
  [/^confirmations/, ['controls']],
  [/^own policies/, ['policy', 'reviews', 'facts', 'agents', 'plays']],
  [/^consents/, ['people', 'facts']],
  [/^answers/, ['reviews', 'funnel', 'plays']],
  [/^replays/, ['dead-letters', 'funnel']],
  [/^notifications/, ['notifications']],
];

/** The parts of the pages that have to be read again. */
export function changedParts(before: Sights, now: Sights): Part[] {
  const changed = new Set<Part>();
  for (const table of new Set([...before.keys(), ...now.keys()])) {
    if (before.get(table) === now.get(table)) continue;
    for (const part of shownBy.find(([named]) => named.test(table))?.[1] ?? (['stories'] as const)) changed.add(part);
  }
  return parts.filter((part) => changed.has(part));
}

/** An event of the stream, as a browser reads it. */
export const eventText = (event: string, content: object): string =>
  `event: ${event}\ndata: ${JSON.stringify(content)}\n\n`;
