import { acts, explained, Failure, type Session } from '@countersign/client';
import { type Card, type Control, type DeadLetterAnswer, Misused } from '@countersign/client/core';
import type { Command } from 'commander';
import { withNames } from '../../core/names.js';
import { stateText } from '../../core/render.js';
import { type StoriesList, storyLine } from '../../core/stories-text.js';
import { changedRows, type Known, knownOf, missedReviews, type Seen, seenText } from '../../core/watch.js';
import { liveEvents } from '../live.js';
import { rowsOf } from '../pages.js';
import { mayPass, pause, pauseMs } from '../patience.js';

const reviewSeen = (card: Card): Seen => {
  const { id, state, detail, facts } = card;
  return { what: 'review', id, state, words: stateText(card), detail, named: withNames(detail, facts.campaigns) };
};

/** Every open review, the newest reviews in any state, and the present state of the reviews that were open before. */
async function reviews(s: Session, before: Known): Promise<readonly Seen[]> {
  const open = await rowsOf<Card>(s, '/v1/reviews?state=open', 'reviews');
  const newest = await s.console.get<{ reviews: readonly Card[] }>('/v1/reviews?limit=200');
  // Of two reads of one review, the later counts.
  const rows = [...knownOf([...open.rows, ...newest.reviews].map(reviewSeen)).values()];
  const others: Seen[] = [];
  for (const id of missedReviews(before, rows)) {
    try {
      others.push(reviewSeen(await s.console.get<Card>(`/v1/reviews/${encodeURIComponent(id)}`)));
    } catch (error) {
      // The console has deleted it.
      if (!(error instanceof Failure) || error.exitCode !== 1) throw error;
    }
  }
  return [...rows, ...others];
}

/** The lists to read again when the console reports a change of that part. */
const lists: Readonly<Record<string, (s: Session, before: Known) => Promise<readonly Seen[]>>> = {
  reviews,
  stories: async (s) =>
    (await s.console.get<StoriesList>('/v1/stories?limit=100')).stories.map((story) => ({
      what: 'story',
      id: story.id,
      state: story.outcome,
      detail: storyLine({ ...story, campaigns: [] }),
      named: storyLine(story),
    })),
  controls: async (s) =>
    (await s.console.get<{ controls: Control[] }>('/v1/controls')).controls.map(
      ({ scope, name, state, by, reason, confirmed }) => ({
        what: 'control',
        id: scope,
        ...(name && { name }),
        state: `${state}${confirmed ? ', confirmed' : ''}`,
        detail: `by ${by}: ${reason}`,
      }),
    ),
  'dead-letters': async (s) =>
    (await s.console.get<{ deadLetters: DeadLetterAnswer[] }>('/v1/dead-letters?limit=100')).deadLetters.map(
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
    .description(
      'what changes, as it happens, one line each: every open review and the newest 200, the newest 100 stories, stops, and 100 dead letters, open ones first',
    )
    .option('--lines <n>', 'end after so many lines; default: never');
  explained(watch, ['watch', 'watch --lines 1 --json']);
  acts(watch, async (s, { lines = 'Infinity' }: { lines?: string }) => {
    const most = Number(lines);
    if (!(most >= 1)) throw new Misused(`--lines ${lines}: a number of lines is expected`);
    const known = new Map<string, Known>();
    let written = 0;
    let connected = false;
    for (let failures = 1; ; failures += 1) {
      let trouble = 'the console has ended the stream';
      try {
        let first = true;
        // The stream begins before anything is read, so that it announces every change in between.
        for await (const event of liveEvents(s)) {
          if (event.event === 'ended') throw new Failure(2, 'the console has ended the session of this token');
          const { at, parts = [] } = JSON.parse(event.data) as { at: string; parts?: readonly string[] };
          // Changes while the stream was closed were not announced, so everything is read.
          for (const part of first ? Object.keys(lists) : parts) {
            const before = known.get(part);
            const rows = await lists[part]?.(s, before ?? new Map());
            if (!rows) continue;
            known.set(part, knownOf(rows));
            for (const row of before ? changedRows(before, rows) : []) {
              s.answer({ at, ...row }, seenText(s.paint, at, row));
              written += 1;
              if (written >= most) return undefined;
            }
          }
          if (first && connected) s.warn('the console can be reached again');
          first = false;
          connected = true;
          failures = 1;
        }
      } catch (error) {
        // If the console was never reached, there is no reason to wait for it.
        if (!connected || !mayPass(error)) throw error;
        trouble = error.message;
      }
      await pause(s, trouble, pauseMs(failures));
    }
  });
}
