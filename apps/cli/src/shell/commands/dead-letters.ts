import { acts, explained, Failure, type Session } from '@countersign/client';
import { count, type DeadLetterAnswer, type DeadLetterRow, Misused } from '@countersign/client/core';
import type { Command } from 'commander';
import { deadLetterRow, waits } from '../../core/dead-letters.js';
import { deadLettersText, deadLetterText } from '../../core/render.js';
import { idOf } from '../../core/scope.js';
import { mostRows } from '../pages.js';

interface ListOptions {
  readonly service?: string;
  readonly all?: boolean;
}

export function deadLetterCommands(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('events and jobs that a service could not handle; read and replayed through the console');

  const list = letters
    .command('list')
    .description('what waits to be handled again, the newest first')
    .option('--service <name>', 'of one service')
    .option('--all', 'also those that were replayed');
  explained(list, ['dead-letters list', 'dead-letters list --service orchestrator --json'], 'there are some');
  acts(list, async (s, options: ListOptions) => {
    const listed = await rows(s, options.service);
    const found = listed.filter((row) => options.all || waits(row));
    const more = listed.length === mostRows;
    s.answer({ deadLetters: found, more }, deadLettersText(s.paint, found));
    if (more) s.note(`${mostRows} were looked at and there may be more: the open ones come first, --service narrows.`);
    return !found.some(waits);
  });

  const show = letters
    .command('show')
    .argument('<id>', 'the first characters of its id are enough')
    .description('one dead letter: which event or job, where it is and why it failed');
  explained(show, ['dead-letters show 5b1e…'], 'there is no such dead letter');
  acts(show, async (s, id: string) => {
    const row = await the(s, id);
    s.answer(row, deadLetterText(s.paint, row));
    return undefined;
  });

  const replay = letters
    .command('replay')
    .argument('[id]', 'one dead letter; the first characters of its id are enough')
    .description('let the service handle a dead letter again; the event itself is not published again')
    .option('--all', 'every dead letter that was not replayed yet; one that failed again is replayed by its id')
    .option('--service <name>', 'with --all: of one service')
    .requiredOption('--note <text>', 'what has changed, so that it can be handled now; it is kept on the record');
  explained(
    replay,
    [
      'dead-letters replay 5b1e… --note "the account has its tier again"',
      'dead-letters replay --all --service orchestrator --note "the play is mended and published"',
    ],
    'there is no such dead letter, or you do not have the role',
  );
  acts(replay, async (s, id: string | undefined, options: ListOptions & { note: string }) => {
    if ((id === undefined) === (options.all !== true)) throw new Misused('give either one id or --all');
    const ordered: Pick<DeadLetterRow, 'deadLetterId' | 'service'>[] = [];
    const order = async ({ deadLetterId, service }: DeadLetterRow) => {
      await s.console.post(`/v1/dead-letters/${deadLetterId}/replays`, { note: options.note });
      ordered.push({ deadLetterId, service });
    };
    if (id !== undefined) await order(await the(s, id));
    else
      for (let found = mostRows; found === mostRows; ) {
        const waiting = (await rows(s, options.service)).filter(({ state }) => state === 'open');
        for (const row of waiting) await order(row);
        found = waiting.length;
      }
    s.answer(
      { replayed: ordered },
      ordered.length === 0 ? 'Nothing to replay.' : `${count(ordered.length, 'dead letter')} to be handled again.`,
    );
    return undefined;
  });
}

/** As many as the console tells at once: open ones first, then the newest. */
async function rows(s: Session, service?: string): Promise<DeadLetterRow[]> {
  const filter = service === undefined ? '' : `&service=${encodeURIComponent(service)}`;
  const answer = await s.console.get<{ deadLetters: DeadLetterAnswer[] }>(
    `/v1/dead-letters?limit=${mostRows}${filter}`,
  );
  return answer.deadLetters.map(deadLetterRow);
}

async function the(s: Session, id: string): Promise<DeadLetterRow> {
  if (id.length >= 36) {
    return deadLetterRow(await s.console.get<DeadLetterAnswer>(`/v1/dead-letters/${encodeURIComponent(id)}`));
  }
  const listed = await rows(s);
  const begun = ({ deadLetterId }: DeadLetterRow) => deadLetterId.startsWith(id);
  const more = listed.length === mostRows;
  if (!more && !listed.some(begun)) throw new Failure(1, `there is no dead letter ${id}`);
  const known = listed.map(({ deadLetterId }) => deadLetterId);
  const only = idOf(id, known, 'dead letter', more);
  return listed.find(({ deadLetterId }) => deadLetterId === only) as DeadLetterRow;
}
