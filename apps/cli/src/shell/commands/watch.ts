import { setTimeout as sleep } from 'node:timers/promises';
import { acts, explained, Failure, type Session } from '@countersign/client';
import { type Card, type Control, Misused, type ToldDeadLetter } from '@countersign/client/core';
import type { Command } from 'commander';
import type { StoriesList } from '../../core/stories-text.js';
import { changedRows, eventReader, type Known, knownOf, type Seen, seenText } from '../../core/watch.js';

/** The console speaks every 5 s at least. */
const silenceMs = 15_000;
const againMs = 1_000;

/** What is read again where the console says that a part of it has changed. */
const lists: Readonly<Record<string, (s: Session) => Promise<readonly Seen[]>>> = {
  reviews: async (s) =>
    (await s.console.get<{ reviews: Card[] }>('/v1/reviews?limit=200')).reviews.map(({ id, state, detail }) => ({
      what: 'review',
      id,
      state,
      detail,
    })),
  stories: async (s) =>
    (await s.console.get<StoriesList>('/v1/stories?limit=100')).stories.map(({ id, outcome, sentence, reason }) => ({
      what: 'story',
      id,
      state: outcome,
      detail: reason === null ? sentence : `${sentence}: ${reason}`,
    })),
  controls: async (s) =>
    (await s.console.get<{ controls: Control[] }>('/v1/controls')).controls.map(
      ({ scope, state, by, reason, confirmed }) => ({
        what: 'control',
        id: scope,
        state: `${state}${confirmed ? ', confirmed' : ''}`,
        detail: `by ${by}: ${reason}`,
      }),
    ),
  'dead-letters': async (s) =>
    (await s.console.get<{ deadLetters: ToldDeadLetter[] }>('/v1/dead-letters?limit=100')).deadLetters.map(
      ({ deadLetterId, state, service, fault }) => ({
        what: 'dead letter',
        id: deadLetterId,
        state,
        detail: `${service}: ${fault.detail}`,
      }),
    ),
};

export function watchCommands(program: Command): void {
  const watch = program
    .command('watch')
    .description('what changes, as it happens: reviews, stories, stops and dead letters, one line each')
    .option('--lines <n>', 'end after so many lines; default: never');
  explained(watch, ['watch', 'watch --lines 1 --json']);
  acts(watch, async (s, { lines = 'Infinity' }: { lines?: string }) => {
    const most = Number(lines);
    if (!(most >= 1)) throw new Misused(`--lines ${lines}: a number of lines is expected`);
    const known = new Map<string, Known>();
    let written = 0;
    for (;;) {
      // Before anything is read: what changes in between is announced on this line.
      const stream = (await s.console.lines('/v1/live'))[Symbol.asyncIterator]();
      try {
        const next = eventReader();
        let first = true;
        for (;;) {
          const line = await withinSilence(stream);
          if (line === undefined) break;
          const event = next(line);
          if (!event) continue;
          if (event.event === 'ended') throw new Failure(2, 'the console has ended the session of this token');
          const { at, parts = [] } = JSON.parse(event.data) as { at: string; parts?: readonly string[] };
          // What changed while nobody listened was announced to nobody.
          for (const part of first ? Object.keys(lists) : parts) {
            const rows = await lists[part]?.(s);
            if (!rows) continue;
            const before = known.get(part);
            known.set(part, knownOf(rows));
            for (const row of before ? changedRows(before, rows) : []) {
              s.answer({ at, ...row }, seenText(s.paint, at, row));
              written += 1;
              if (written >= most) return undefined;
            }
          }
          first = false;
        }
      } finally {
        await stream.return?.(undefined);
      }
      await sleep(againMs);
    }
  });
}

/** The next line; undefined where the stream has ended, or has been silent for too long. */
async function withinSilence(stream: AsyncIterator<string>): Promise<string | undefined> {
  const waited = new AbortController();
  const silence = sleep(silenceMs, undefined, { signal: waited.signal }).catch(() => undefined);
  try {
    const read = stream.next().then(
      ({ done, value }) => (done ? undefined : value),
      () => undefined,
    );
    return await Promise.race([read, silence]);
  } finally {
    waited.abort();
  }
}
