import { clock, type Paint, printable, printableLines, table, wrap } from '@countersign/client/core';
import { decode, money } from '@countersign/contracts';
import { readEventBytes } from '@countersign/record';
import type { StoredEvent } from './proof.js';
import type { StorySteps } from './stories-text.js';

/** The data of an event, read from the same bytes that its proof covers; undefined if they cannot be read. */
export function eventData({ bytes }: Pick<StoredEvent, 'bytes'>): unknown {
  try {
    const { value } = readEventBytes(Buffer.from(bytes, 'base64'));
    const text = value === null ? undefined : decode(value);
    return text?.ok ? JSON.parse(text.text) : undefined;
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The id of the trace in which an event was written (W3C Trace Context); undefined if it was written in none. */
export function traceIdIn({ bytes }: Pick<StoredEvent, 'bytes'>): string | undefined {
  try {
    const { headers } = readEventBytes(Buffer.from(bytes, 'base64'));
    const [, parent] = headers.find(([name]) => name === 'traceparent') ?? [];
    const text = parent ? decode(parent) : undefined;
    return text?.ok ? /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-/.exec(text.text)?.[1] : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

type Members = Readonly<Record<string, unknown>>;
const membersOf = (value: unknown): Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {};

const order = ['refuse', 'escalate', 'unclear', 'pass'];
const outcomeWords = new Map([
  ['refuse', 'refuses'],
  ['escalate', 'asks a person'],
  ['unclear', 'unclear'],
  ['pass', 'passes'],
]);

/** The rules of a verdict, one row each. Those that decided come first. */
function rulesOf(data: Members): string[][] {
  const { reasons } = membersOf(data.verdict);
  const found = (Array.isArray(reasons) ? reasons : []).map(membersOf);
  return found
    .toSorted((a, b) => order.indexOf(String(a.outcome)) - order.indexOf(String(b.outcome)))
    .map(({ rule, outcome, detail }) => [
      String(rule),
      outcomeWords.get(String(outcome)) ?? String(outcome),
      typeof detail === 'string' ? detail : '',
    ]);
}

/** Members that stand elsewhere in the text, or that are only for machines. */
const elsewhere = new Set(['verdict', 'rationale', 'permit', 'card']);
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

const factText = (part: unknown): string => {
  if (typeof part === 'boolean') return part ? 'yes' : 'no';
  return typeof part === 'string' && instant.test(part) ? clock(part) : String(part);
};

/** `fromCampaignId` as `from campaign id`. */
const spaced = (name: string): string => name.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();

/** Every member of an event's data in a row, under its name in the event; an amount with its currency. */
function factsOf(data: Members): string[][] {
  const rows: string[][] = [];
  const collect = (name: string, part: unknown): void => {
    if (part === null || part === undefined || part === '') return;
    if (Array.isArray(part)) for (const [at, member] of part.entries()) collect(`${name} ${at + 1}`, member);
    else if (typeof part === 'object') collectMembers(`${name} › `, membersOf(part));
    else rows.push([name, factText(part)]);
  };
  const collectMembers = (prefix: string, members: Members): void => {
    const { currency } = members;
    for (const [member, part] of Object.entries(members)) {
      if (prefix === '' && elsewhere.has(member)) continue;
      if (member.endsWith('Minor') && Number.isSafeInteger(part) && typeof currency === 'string')
        rows.push([`${prefix}${spaced(member.slice(0, -'Minor'.length))}`, money(Number(part), currency)]);
      else collect(`${prefix}${spaced(member)}`, part);
    }
  };
  collectMembers('', data);
  return rows;
}

/** What the agent wrote may have several lines; each is marked as its words. */
const rationaleOf = ({ rationale }: Members): string[] =>
  typeof rationale === 'string' && rationale !== ''
    ? ["the agent's own words, which nobody has checked:", wrap(printableLines(rationale), 100, '> ')]
    : [];

const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ');

/**
 * A story with the rules and facts of each step. `events` has the data of each step's event; undefined if it is not here any more.
 * `traceIds` has the trace of each.
 */
export function factsText(
  paint: Paint,
  found: StorySteps,
  events: readonly unknown[],
  traceIds: readonly (string | undefined)[],
): string {
  const { story, steps, more, complete } = printable(found);
  const title = story === null ? [] : [paint.bold(`${story.sentence} (${story.outcome})`)];
  const parts = steps.flatMap(({ at, detail, by, type, topic, partition, offset, provable, traceUrl }, n) => {
    const place = partition === null ? topic : `${topic}/${partition}@${offset}`;
    const data = membersOf(events[n]);
    const trace = traceUrl ?? traceIds[n];
    const [rules, facts] = [printable(rulesOf(data)), printable(factsOf(data))];
    const missing = provable
      ? 'The bytes of this event cannot be read here.'
      : 'The console keeps the facts of a step for seven days; the record keeps them: countersign show.';
    return [
      '',
      `${clock(at)}  ${detail}`,
      indented(
        [
          paint.dim(`${type} by ${by.name}, ${place}`),
          ...(trace === undefined ? [] : [paint.dim(`trace ${trace}`)]),
          ...(rules.length > 0 ? ['rules', indented(table(rules))] : []),
          ...rationaleOf(data),
          ...(facts.length > 0 ? ['facts', indented(table(facts))] : []),
          ...(events[n] === undefined ? [missing] : []),
        ].join('\n'),
      ),
    ];
  });
  const none = steps.length === 0 ? ['The console no longer has its steps; the record does: countersign show.'] : [];
  const before =
    steps.length === 0 || complete
      ? []
      : ['', 'The console does not have its first steps: countersign show tells all.'];
  const behind = more ? ['', 'There are more steps: countersign show tells all.'] : [];
  return [...title, ...(story?.reason ? [story.reason] : []), ...none, ...before, ...parts, ...behind].join('\n');
}
