import { type AcknowledgedGap, clock, count, type Gap, type Paint, printable, titled } from '@countersign/client/core';
import type { OpenGap } from './gaps.js';

const offsetsText = ({ from, to }: Pick<Gap, 'from' | 'to'>): string =>
  to === null ? `${from} and all after it` : from + 1 === to ? String(from) : `${from} to ${to - 1}`;

/** The gaps, and below them what to do about the open ones. */
export function gapsText(
  paint: Paint,
  open: readonly OpenGap[],
  acknowledged: readonly AcknowledgedGap[],
  silent: readonly string[],
): string {
  const rows = [
    ...printable(open).map((gap) => [...placeCells(gap), openText(gap)]),
    ...printable(acknowledged).map((gap) => [...placeCells(gap), `${wordText(gap.acknowledged)}${answerText(gap)}`]),
  ];
  const headings = ['service', 'topic', 'offsets', 'records', 'reason', 'acknowledged by'];
  const unsaid = silent.map((service) => paint.yellow(`${service} did not answer: its gaps are not known.`));
  if (rows.length === 0)
    return [silent.length === 0 ? paint.green('No gaps.') : 'No gaps of the other services.', ...unsaid].join('\n');
  return [titled(paint, headings, rows), ...unsaid, ...nextText(printable(open))].join('\n');
}

const wordText = ({ by, at, note }: AcknowledgedGap['acknowledged']): string => `${by} at ${clock(at)}: “${note}”`;

function answerText({ service, answer }: AcknowledgedGap): string {
  if (answer === null) return '';
  const at = clock(answer.at);
  return answer.outcome === 'closed' ? `; closed at ${at}` : `; ${service} had no such open gap at ${at}`;
}

function openText({ report, noticedAt }: OpenGap): string {
  if (report?.acknowledged) return `${wordText(report.acknowledged)}; not closed yet`;
  return `nobody yet; noticed at ${clock(noticedAt)}`;
}

const placeCells = (gap: Omit<Gap, 'noticedAt'>): string[] => [
  gap.service,
  `${gap.topic}/${gap.partition}`,
  offsetsText(gap),
  gap.to === null ? 'unknown' : String(gap.to - gap.from),
  gap.reason === 'topic-made-again' ? 'topic made again' : 'deleted unread',
];

/** What to do about the open gaps, topic by topic. */
function nextText(open: readonly OpenGap[]): string[] {
  const waiting = open.filter(({ report }) => !report?.acknowledged);
  const awaited = servicesOf(open.filter(({ report }) => report?.acknowledged));
  const topics = [...new Set(waiting.map(({ topic }) => topic))].sort();
  const late =
    awaited === ''
      ? []
      : [
          '',
          `Not closed yet: ${awaited} has not read the acknowledgement. It reads it when it runs, and nothing is lost until then. \`countersign status\` says whether it runs.`,
        ];
  if (topics.length === 0) return late;
  return [
    ...late,
    '',
    'What was lost does not come back by itself. Find out what it was, have it sent again, then acknowledge the gap (docs/sre.md, "Recovery cases"):',
    ...topics.flatMap((topic) => [
      ...stateText(waiting.filter((gap) => gap.topic === topic)),
      `  countersign gaps acknowledge ${topic} --note "what was lost, and what you did"`,
    ]),
  ];
}

/** Of a state topic of which records were deleted: what does not work, and what its writer must do first. */
export function stateText(gaps: readonly OpenGap[]): string[] {
  const lacking = gaps.filter(({ stateWriter, reason }) => stateWriter !== undefined && reason === 'records-deleted');
  const [first] = lacking;
  if (first?.stateWriter === undefined) return [];
  const { topic, stateWriter: writer } = first;
  const again = lacking.map(({ report }) => report?.state?.publishedAgainAt ?? null);
  const [at] = again.toSorted();
  const repair =
    at && !again.includes(null)
      ? `Its writer, ${writer}, has published its whole table again at ${clock(at)}.`
      : `First its writer, ${writer}, must publish its whole table again: run UPDATE topic_ids SET id = 'lost' WHERE topic = '${topic}' in the schema ${writer.replaceAll('-', '_')}, and restart ${writer}. It then has a gap of its own there, of a topic that was made again.`;
  return [
    `  ${topic} is a state topic: a stop or a withdrawal may be lost. Until the gap is closed, nothing that depends on it is decided or executed by ${servicesOf(lacking)}. ${repair}`,
  ];
}

const servicesOf = (gaps: readonly Gap[]): string => [...new Set(gaps.map(({ service }) => service))].sort().join(', ');

/** What came of acknowledgements: only a gap that its service does not report any more is closed. */
export function acknowledgedText(
  paint: Paint,
  chosen: readonly Gap[],
  by: string,
  left: readonly Gap[],
  unreachable: readonly string[],
): string {
  const done = `${count(chosen.length, 'gap')} acknowledged by ${by}`;
  if (left.length === 0) return paint.green(`${done}, and closed.`);
  const silent = left.filter(({ service }) => unreachable.includes(service));
  const running = left.filter((gap) => !silent.includes(gap));
  const why = [
    silent.length > 0 && `${servicesOf(silent)} did not answer, and reads the acknowledgement when it runs`,
    running.length > 0 && `${servicesOf(running)} has not read the acknowledgement yet`,
  ];
  return [
    `${done}.`,
    `${paint.yellow(`NOT CLOSED: ${count(left.length, 'gap')}`)}: ${why.filter(Boolean).join('; ')}.`,
    'The acknowledgement is on its topic and is not lost. Run `countersign gaps` again: it says when no gap is open. `countersign status` says whether the services run.',
  ].join('\n');
}
