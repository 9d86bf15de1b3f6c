import { acts, explained, type Session } from '@countersign/client';
import { count, type DeadLetterAnswer, type DeadLetterRow, Misused, printable } from '@countersign/client/core';
import type { Command } from 'commander';
import { deadLetterRow, waits } from '../../core/dead-letters.js';
import { deadLettersText, deadLetterText } from '../../core/render.js';
import { mostOf, mostRows, rowsOf } from '../pages.js';
import { wholeId } from '../whole-id.js';

interface ListOptions {
  readonly service?: string;
  readonly all?: boolean;
}
interface Pages {
  readonly before?: string;
  readonly limit: string;
}

export function deadLetterCommands(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('events and jobs that a service could not handle; read and replayed through the console');

  const list = letters
    .command('list')
    .description('what waits to be handled again, the newest first')
    .option('--service <name>', 'of one service')
    .option('--all', 'also those that were replayed')
    .option('--before <cursor>', 'continue a list where it ended; the list prints the value')
    .option('--limit <n>', 'how many are looked at, at most', String(mostRows));
  explained(list, ['dead-letters list', 'dead-letters list --service orchestrator --json'], 'there are some');
  acts(list, async (s, options: ListOptions & Pages) => {
    const { rows: listed, next } = await lettersOf(s, options.service, mostOf(options.limit), options.before);
    const found = listed.filter((row) => options.all || waits(row));
    s.answer({ deadLetters: found, next }, deadLettersText(s.paint, found));
    if (next !== null)
      s.note(
        `${listed.length} were looked at, those that wait first, and there are more. --before ${printable(next)} continues; --service narrows.`,
      );
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
    else {
      const { rows } = await waitingOf(s, options.service);
      for (const row of rows) if (row.state === 'open') await order(row);
    }
    s.answer(
      { replayed: ordered },
      ordered.length === 0 ? 'Nothing to replay.' : `${count(ordered.length, 'dead letter')} to be handled again.`,
    );
    return undefined;
  });
}

/** The letters that wait come first; each of the two parts has the newest first. */
async function lettersOf(
  s: Session,
  service?: string,
  most?: number,
  from?: string,
  enough?: (page: readonly DeadLetterAnswer[]) => boolean,
) {
  const filter = service === undefined ? '' : `?service=${encodeURIComponent(service)}`;
  const { rows, next } = await rowsOf<DeadLetterAnswer>(
    s,
    `/v1/dead-letters${filter}`,
    'deadLetters',
    most,
    from,
    enough,
  );
  return { rows: rows.map(deadLetterRow), next };
}

/** The letters that wait, with the others on the same pages. After a page without a waiting letter there are no more. */
const waitingOf = (s: Session, service?: string) =>
  lettersOf(s, service, undefined, undefined, (page) => !page.some(waits));

async function the(s: Session, id: string): Promise<DeadLetterRow> {
  const path = `/v1/dead-letters/${encodeURIComponent(await wholeId(s, 'dead-letter', id))}`;
  return deadLetterRow(await s.console.get<DeadLetterAnswer>(path));
}
