import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { acts, codeOf, explained, Failure, repeated, type Session } from '@countersign/client';
import {
  applySettings,
  type Card,
  changesBetween,
  Misused,
  printable,
  type ReviewResult,
} from '@countersign/client/core';
import { parseJson, rejections, TooDeep, textOfFile } from '@countersign/contracts';
import type { Command } from 'commander';
import { cardsText, cardText, changesText, resultText } from '../../core/render.js';
import { byRisk } from '../../core/review-order.js';
import {
  type CardFilter,
  type DryRunVerdict,
  dryRunText,
  isOf,
  type Kind,
  kindsText,
  kindText,
} from '../../core/review-text.js';
import { confirmed } from '../confirmed.js';
import { mostOf, rowsOf } from '../pages.js';
import { patient } from '../patience.js';
import { wholeId } from '../whole-id.js';

interface AnswerOptions {
  readonly note?: string;
  readonly category?: string;
  readonly digest?: string;
  readonly yes?: boolean;
  readonly wait: string | false;
  readonly set?: readonly string[];
  readonly payload?: string;
}

interface ListOptions extends CardFilter {
  readonly all?: boolean;
  readonly state?: string;
  readonly by: string;
  readonly before?: string;
  readonly limit: string;
}

const states = ['open', 'answered', 'approved', 'refused', 'superseded', 'expired'] as const;

export function reviewCommands(program: Command): void {
  const review = program
    .command('review')
    .description('answer what waits for a person: actions and checkpoints of plays');

  const list = review
    .command('list')
    .description('what waits, the nearest deadline first, or in the order of the page')
    .option('--all', 'also those that are closed, the latest first')
    .option('--state <state>', `only those that are ${states.join(', ')}`)
    .option(
      '--by <order>',
      'deadline, or risk: as the page orders it, what has most at stake first among what is due soon',
      'deadline',
    )
    .option('--agent <name>', 'of one agent')
    .option('--kind <kind>', 'of one kind of action')
    .option('--play <id>', 'of one play')
    .option('--account <id>', 'of one account')
    .option('--before <cursor>', 'continue a list where it ended; the list prints the value')
    .option('--limit <n>', 'how many reviews are searched, at most', '1000');
  explained(list, [
    'review list',
    'review list --agent paid-media-agent',
    'review list --by risk',
    'review list --state expired --json',
  ]);
  acts(list, async (s, options: ListOptions) => {
    const state = options.state ?? (options.all ? undefined : 'open');
    if (state !== undefined && !states.some((known) => known === state))
      throw new Misused(`--state ${state}: there is ${states.join(', ')}`);
    if (options.by !== 'deadline' && options.by !== 'risk')
      throw new Misused(`--by ${options.by}: there is deadline, risk`);
    if (options.by === 'risk' && state !== 'open')
      throw new Misused('--by risk orders what waits for an answer: leave out --all and --state');
    const most = mostOf(options.limit);
    const { rows, next } = await cards(s, state === undefined ? '' : `?state=${state}`, most, options.before);
    const fitting = rows.filter((card) => isOf(card, options));
    const found = options.by === 'risk' ? byRisk(fitting, s.now()) : fitting;
    s.answer({ reviews: found, next }, cardsText(s.paint, found, s.now()));
    if (next !== null)
      s.note(
        `The search ended after review ${rows.length}, and there are more. --before ${printable(next)} continues; a higher --limit searches further.`,
      );
    return undefined;
  });

  const show = review
    .command('show')
    .argument('<id>', 'a proposal or checkpoint; the first characters of its id are enough')
    .description('one card: the facts, what the agent says, what approving does');
  explained(show, ['review show 3f2a', 'review show 3f2a --json'], 'there is no such review');
  acts(show, async (s, id: string) => {
    const card = await cardOf(s, id);
    s.answer(card, cardText(s.paint, card, s.now()));
    return undefined;
  });

  const answering = (name: string, detail: string) =>
    review
      .command(name)
      .argument('<id>', 'a proposal or checkpoint; the first characters of its id are enough')
      .description(detail)
      .option('--note <text>', 'kept on the record with the answer')
      .option('--digest <sha256>', 'answer only if the card still has this digest; its first 8 characters are enough')
      .option('--wait <seconds>', 'how long to wait for the outcome, in seconds', '15')
      .option('--no-wait', 'do not wait for the outcome')
      .option('--yes', 'do not ask for confirmation, not even if it would be refused now');

  const approve = answering(
    'approve',
    'let the action run once, exactly as the card shows it; or let the tasks of a checkpoint go out',
  );
  explained(
    approve,
    ['review approve 3f2a', 'review approve 3f2a --digest 9c1b7a20 --note "agreed with Tom" --yes'],
    'it was refused or set aside, no task of a checkpoint went out, it would be refused now and there is no --yes, or you do not have the role',
  );
  acts(approve, (s, id: string, options: AnswerOptions) => answer(s, id, 'approve', options));

  const reject = answering('reject', 'do not let the action run, or the tasks of a checkpoint go out').requiredOption(
    '--category <reason>',
    `why; it is counted in the figures of the agent: ${rejections.join(', ')}`,
  );
  explained(
    reject,
    ['review reject 3f2a --category wrong-time --note "not this quarter"'],
    'it was set aside, or you do not have the role',
  );
  acts(reject, (s, id: string, options: AnswerOptions) => answer(s, id, 'reject', options));

  const edit = answering(
    'edit',
    'let a changed action run in its place; the changed action is judged from the start. A checkpoint cannot be changed',
  )
    .option('--set <name=value>', 'change one setting; may be given several times', repeated)
    .option('--payload <file>', 'the whole new payload as JSON; - reads it from standard input');
  explained(
    edit,
    ['review edit 3f2a --set amountMinor=40000', 'review edit 3f2a --payload payload.json --note "half of it"'],
    'it was refused or set aside, it would be refused now and there is no --yes, or you do not have the role',
  );
  acts(edit, (s, id: string, options: AnswerOptions) => answer(s, id, 'edit', options));

  const dryRun = review
    .command('dry-run')
    .argument('<id>', 'a proposal; the first characters of its id are enough')
    .description(
      'what the rules would say of the action at this moment, as it is or changed; nothing is reserved, and no answer is sent',
    )
    .option('--set <name=value>', 'change one setting; may be given several times', repeated)
    .option('--payload <file>', 'the whole new payload as JSON; - reads it from standard input');
  explained(
    dryRun,
    [
      'review dry-run 3f2a',
      'review dry-run 3f2a --set amountMinor=40000',
      'review dry-run 3f2a --payload payload.json --json',
    ],
    'the rules refuse it or did not answer in time, the answer would have no effect, or you do not have the role',
  );
  acts(dryRun, async (s, id: string, options: Pick<AnswerOptions, 'set' | 'payload'>) => {
    const card = await cardOf(s, id);
    const changes = options.set !== undefined || options.payload !== undefined;
    const payload = changes ? edited(card, options) : undefined;
    if (payload) s.note(changesText(s.paint, changesBetween(card.action?.payload, payload)));
    const verdict = await s.console.post<DryRunVerdict>(`/v1/reviews/${card.id}/dry-run`, payload ? { payload } : {});
    s.answer(verdict, dryRunText(s.paint, verdict, card.facts));
    return verdict.judged && verdict.outcome === 'approved';
  });

  const kinds = program
    .command('kinds')
    .argument('[kind]', 'one kind, with every setting of its payload')
    .description('the kinds of actions, and what an edit may set in each');
  explained(kinds, ['kinds', 'kinds ads.shift_budget', 'kinds email.send --json'], 'there is no such kind');
  acts(kinds, async (s, kind: string | undefined) => {
    const found = await s.console.get<{ kinds: Kind[] }>('/v1/kinds');
    if (kind === undefined) {
      s.answer(found, kindsText(s.paint, found.kinds));
      return undefined;
    }
    const known = found.kinds.find((each) => each.kind === kind);
    if (!known) throw new Failure(1, `there is no kind ${kind}; there is ${found.kinds.map((k) => k.kind).join(', ')}`);
    s.answer(known, kindText(s.paint, known));
    return undefined;
  });
}

async function answer(
  s: Session,
  given: string,
  decision: ReviewResult['decision'],
  options: AnswerOptions,
): Promise<boolean> {
  const seconds = options.wait === false ? 0 : Number(options.wait);
  if (!(seconds >= 0)) throw new Misused(`--wait ${options.wait}: a number of seconds is expected`);
  const card = await cardOf(s, given);
  checkDigest(card, options.digest);
  const payload = decision === 'edit' ? edited(card, options) : undefined;
  s.note(cardText(s.paint, card, s.now()));
  if (payload) s.note(`\n${changesText(s.paint, changesBetween(card.action?.payload, payload))}`);
  const loss = decision === 'reject' || options.yes ? undefined : await lossNow(s, card, payload);
  if (loss !== undefined && !s.interactive)
    throw new Failure(1, `nothing was sent. ${loss} With --yes the answer is sent all the same.`);
  const questions = { approve: 'Approve this?', reject: 'Reject this?', edit: 'Let this run in its place?' };
  const question = `\n${loss === undefined ? questions[decision] : `${loss} Approve it all the same?`}`;
  const looked = await confirmed(s, question, options.yes);
  if (!looked) {
    s.note('Nothing was sent.');
    return false;
  }
  const body = {
    decision,
    digest: card.digest,
    ...(payload && { payload }),
    ...(options.note !== undefined && { note: options.note }),
    ...(options.category !== undefined && { category: options.category }),
    ...looked,
  };
  const key = { 'idempotency-key': randomUUID() };
  const { reviewId } = await s.console.post<{ reviewId: string }>(`/v1/reviews/${card.id}`, body, key);

  const until = performance.now() + seconds * 1000;
  const look = () => patient(s, until, () => s.console.get<ReviewResult>(`/v1/reviews/${reviewId}/result`));
  for (let result = await look(); ; result = await look()) {
    const left = until - performance.now();
    if (left <= 0 || !mayChange(result, Date.parse(s.now()) + left)) return showResult(s, result, card);
    await sleep(250);
  }
}

/** What the rules say now of an answer that is about to be sent, if an approval would be lost. A person sees all reasons. */
async function lossNow(s: Session, card: Card, payload: object | undefined): Promise<string | undefined> {
  // The rules do not judge a checkpoint. A stop holds its tasks back all the same.
  if (!card.action) return card.underStop?.loss;
  let verdict: DryRunVerdict;
  try {
    verdict = await s.console.post<DryRunVerdict>(`/v1/reviews/${card.id}/dry-run`, payload ? { payload } : {});
  } catch (error) {
    // Nothing is known. The answer is judged when it comes, and the console says what is wrong with it.
    if (error instanceof Failure) return undefined;
    throw error;
  }
  const loss = (verdict.judged ? verdict.loss : undefined) ?? undefined;
  if (loss !== undefined) s.note(`\n${dryRunText(s.paint, verdict, card.facts)}`);
  return loss;
}

function showResult(s: Session, result: ReviewResult, { facts }: Card): boolean {
  s.answer(result, `\n${resultText(s.paint, result, facts.campaigns)}`);
  return result.state !== 'set-aside' && result.state !== 'refused' && result.state !== 'withheld';
}

/** Whether there can be news until then: the result of the answer, or the end of an action that runs by then. */
function mayChange(result: ReviewResult, until: number): boolean {
  if (result.state === 'waiting') return true;
  const runsByThen = result.runsFrom !== null && Date.parse(result.runsFrom) < until;
  return result.state === 'approved' && result.settlement === null && runsByThen;
}

function checkDigest(card: Card, pinned: string | undefined): void {
  if (pinned === undefined) return;
  if (!/^[0-9a-f]{8,64}$/.test(pinned))
    throw new Misused(`--digest ${pinned}: at least 8 hexadecimal digits are expected`);
  if (!card.digest.startsWith(pinned)) {
    throw new Failure(
      1,
      `the card's digest is ${card.digest} now: look at it again with \`countersign review show ${card.id}\``,
    );
  }
}

function edited(card: Card, options: Pick<AnswerOptions, 'set' | 'payload'>): Record<string, unknown> {
  if (!card.action) throw new Misused("a play's checkpoint cannot be edited: approve or reject it");
  if ((options.payload === undefined) === (options.set === undefined)) {
    throw new Misused('give what to change: either --set name=value or --payload <file>');
  }
  if (options.set) return applySettings(card.action.payload, options.set);
  const file = options.payload as string;
  try {
    return parseJson(textOfFile(file === '-' ? 0 : file, fs)) as Record<string, unknown>;
  } catch (error) {
    const reason =
      error instanceof SyntaxError
        ? 'not JSON'
        : error instanceof TooDeep
          ? error.message
          : `not readable (${codeOf(error)})`;
    throw new Misused(`--payload ${file}: it is ${reason}`);
  }
}

const cardOf = async (s: Session, given: string): Promise<Card> =>
  s.console.get<Card>(`/v1/reviews/${encodeURIComponent(await wholeId(s, 'review', given))}`);

const cards = (s: Session, query: string, most: number, from?: string) =>
  rowsOf<Card>(s, `/v1/reviews${query}`, 'reviews', most, from);
