import { setTimeout as sleep } from 'node:timers/promises';
import { acts, explained, Failure, gapsOf, type Session } from '@countersign/client';
import { type Gap, Misused, type ReportedGap } from '@countersign/client/core';
import { servicesOf, topology } from '@countersign/contracts';
import type { Command } from 'commander';
import { type Acknowledgement, acknowledgedGaps, chosenGaps, openGaps, sameGap } from '../../core/gaps.js';
import { acknowledgedText, gapsText, stateText } from '../../core/gaps-text.js';
import { mostRows, rowsOf } from '../pages.js';

interface Options {
  readonly service?: string;
  readonly all?: boolean;
  readonly partition?: string;
  readonly note: string;
  readonly wait: string;
}

export function gapCommands(program: Command): void {
  const gaps = program
    .command('gaps')
    .description(
      'records that were deleted before a service read them: asks every service; acknowledges through the console',
    );

  const list = gaps
    .command('list', { isDefault: true })
    .description('the gaps that nobody has acknowledged, of every service')
    .option('--service <name>', 'of one service')
    .option('--all', 'also those that were acknowledged, with by whom and why');
  explained(
    list,
    ['gaps', 'gaps list --all', 'gaps list --service orchestrator --json'],
    'there are gaps, or a service did not answer',
  );
  acts(list, async (s, options: Pick<Options, 'service' | 'all'>) => {
    const wanted = knownService(s, options.service);
    const isWanted = ({ service }: { service: string }) => wanted === undefined || service === wanted;
    const { gaps: found, unreachable } = await gapsOf(s);
    const silent = unreachable.filter((service) => isWanted({ service }));
    const open = await withReports(s, found.filter(isWanted));
    const known = options.all ? await words(s) : [];
    const acknowledged = known.filter(isWanted);
    const more = known.length === mostRows;
    const gaps = [...open, ...acknowledged];
    s.answer({ gaps, unreachable: silent, more }, gapsText(s.paint, open, acknowledged, silent));
    if (more) s.note(`Of those that were acknowledged, the latest ${mostRows} were looked at; there may be more.`);
    return open.length === 0 && silent.length === 0;
  });

  const acknowledge = gaps
    .command('acknowledge')
    .argument('[topic]', 'the topic whose gaps are known')
    .description(
      'acknowledge what a service can no longer read; after that its health page and the audit do not report it any more',
    )
    .option('--all', 'every open gap, of every topic')
    .option('--service <name>', 'of one service')
    .option('--partition <number>', 'of one partition of the topic')
    .requiredOption('--note <text>', 'what was lost and what you did about it; it is kept on the record')
    .option('--wait <seconds>', 'how long to wait until the services have taken it, in seconds', '15');
  explained(
    acknowledge,
    [
      'gaps acknowledge reviews.decided.v1 --note "retention was one hour by mistake; answers were given again"',
      'gaps acknowledge signals.accepted.v1 --service orchestrator --partition 2 --note "sent again by the CRM"',
    ],
    'there is no such gap, a service has not closed its gap in time, or you do not have the role',
  );
  acts(acknowledge, async (s, topic: string | undefined, options: Options) => {
    if ((topic === undefined) === (options.all !== true)) throw new Misused('give either one topic or --all');
    const note = options.note.trim();
    if (note === '' || note.length > 1000)
      throw new Misused('--note: say in 1 to 1000 characters what was lost and what you did');
    const seconds = Number(options.wait);
    if (!(seconds >= 0)) throw new Misused(`--wait ${options.wait}: a number of seconds is expected`);
    const { gaps: open, unreachable } = await gapsOf(s);
    const chosen = chosenGaps(open, { topic, service: knownService(s, options.service), partition: options.partition });
    if (chosen.length === 0) throw new Failure(1, noGapText(topic, options, open, unreachable));
    for (const line of stateText(await withReports(s, chosen))) s.note(line.trim());
    const until = performance.now() + seconds * 1000;
    const people = new Set<string>();
    for (const gap of chosen) people.add((await acknowledgeOne(s, gap, note, until)).by);
    let left: readonly Gap[] = chosen;
    let silent: readonly string[] = [];
    while (left.length > 0 && performance.now() < until) {
      await sleep(250);
      const now = await gapsOf(s);
      silent = now.unreachable;
      left = chosen.filter((gap) => silent.includes(gap.service) || now.gaps.some((listed) => sameGap(listed, gap)));
    }
    const by = [...people].join(' and ');
    s.answer({ acknowledged: chosen, by, note, waiting: left }, acknowledgedText(s.paint, chosen, by, left, silent));
    return left.length === 0;
  });
}

/**
 * The console acknowledges only gaps of which it has heard from their services, so it may refuse a gap that a service noticed a
 * moment ago. Then this asks again until `until`.
 */
async function acknowledgeOne(
  s: Session,
  { noticedAt: _, ...gap }: Gap,
  note: string,
  until: number,
): Promise<Acknowledgement> {
  for (;;) {
    try {
      return await s.console.post<Acknowledgement>('/v1/gaps/acknowledged', { ...gap, note });
    } catch (error) {
      if (!(error instanceof Failure) || !isUnheard(error)) throw error;
      if (performance.now() >= until)
        throw new Failure(
          1,
          `${error.message}. ${gap.service} shows this gap now, so its report has not reached the console: wait a moment, or restart ${gap.service}, which reports its gaps again at its start`,
          error.problem,
        );
      await sleep(250);
    }
  }
}

const isUnheard = ({ problem }: Failure): boolean =>
  [404, 409].includes((problem as { readonly status?: number } | undefined)?.status ?? 0);

/** Open gaps with what the console has heard of them, if it answers. */
async function withReports(s: Session, open: readonly Gap[]) {
  const topics = topology(s.deployment());
  if (open.length === 0) return [];
  try {
    const { rows } = await rowsOf<ReportedGap>(s, '/v1/gaps', 'open');
    return openGaps(open, rows, topics);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    s.warn(`whether somebody has acknowledged these gaps is not known: ${error.message}`);
    return openGaps(open, [], topics);
  }
}

function knownService(s: Session, service: string | undefined): string | undefined {
  const services: readonly string[] = servicesOf(s.deployment());
  if (service !== undefined && !services.includes(service))
    throw new Misused(`--service ${service}: there is ${services.join(', ')}`);
  return service;
}

const noGapText = (
  topic: string | undefined,
  { service, partition }: Options,
  open: readonly Gap[],
  unreachable: readonly string[],
): string => {
  const place = [
    topic !== undefined && ` on ${topic}`,
    partition !== undefined && `, partition ${partition}`,
    service !== undefined && ` at ${service}`,
  ];
  const topics = [...new Set(open.map((gap) => gap.topic))].sort();
  const others =
    topics.length === 0 ? 'none is open' : `open are gaps on ${topics.join(', ')}: see \`countersign gaps\``;
  const silent = unreachable.length === 0 ? '' : `; ${unreachable.join(', ')} did not answer`;
  return `there is no open gap${place.filter(Boolean).join('')}; ${others}${silent}`;
};

const words = async (s: Session) =>
  acknowledgedGaps(
    (await s.console.get<{ acknowledged: Acknowledgement[] }>(`/v1/gaps/acknowledged?limit=${mostRows}`)).acknowledged,
  );
