import { topology } from '@countersign/contracts';
import { Documented, deployment, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import type { z } from 'zod';
import { funnel } from '../core/funnel.js';
import { NowAnswer, QueueAnswer } from '../core/now.answers.js';
import { QueueQuery, within } from '../core/queue.js';
import { rates } from '../core/rates.js';
import { servicesHealth } from '../core/services.js';
import { dayCaps, dayOf, spend } from '../core/spend.js';
import { Store } from './console.repository.js';
import { type ControlRow, ControlStore } from './controls.repository.js';
import { GapStore } from './gaps.repository.js';
import { Groups } from './groups.js';
import { NowStore } from './now.repository.js';
import { QueueStore } from './queue.repository.js';
import { UnresolvedStore } from './unresolved.repository.js';

const participants = deployment();
const topics = topology(participants);
/** How many rows of a list the page Now shows, and how many the list's own page shows. */
const few = 5;
const many = 100;
/** How long the page Now shows what is over. */
const latelyMs = 7 * 86_400_000;

@Controller('v1')
export class Now {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(ControlStore) private readonly controls: ControlStore,
    @Inject(NowStore) private readonly figures: NowStore,
    @Inject(QueueStore) private readonly queue: QueueStore,
    @Inject(GapStore) private readonly gaps: GapStore,
    @Inject(UnresolvedStore) private readonly unresolved: UnresolvedStore,
    @Inject(Groups) private readonly groups: Groups,
  ) {}

  @Get('now')
  @Documented({
    summary: 'How it stands: funnel with rates, what waits for a person, spend, stops, health',
    answers: { 200: NowAnswer },
  })
  async now() {
    const at = this.runtime.now();
    const { store, figures } = this;
    // The broker is asked while the database answers.
    const seen = this.groups.seen();
    const policy = await store.policy(store.forPages);
    const charters = policy?.content.charters ?? [];
    // Two at a time: only that many reads run at once for pages, and a person with several open pages must not fill their queue.
    const [counts, open] = await Promise.all([store.counts(), store.openCounts(at)]);
    const [steps, reviews] = await Promise.all([figures.recentSteps(at), this.queue.reviews(at, within('all'), few)]);
    const [spent, unresolved] = await Promise.all([
      figures.spend(dayCaps(charters, at), dayOf('UTC', at)),
      this.unresolved.waiting(undefined, few),
    ]);
    const [letters, stops] = await Promise.all([figures.openDeadLetters(), this.controls.stops()]);
    const [topicsHeard, unconfirmed] = await Promise.all([figures.topicsHeard(), this.controls.liftedNotConfirmed()]);
    const since = new Date(Date.parse(at) - latelyMs).toISOString();
    const [lifted, permitsRejected] = await Promise.all([
      this.controls.lifted(few),
      figures.rejectedPermits(since, few),
    ]);
    const [gaps, details] = await Promise.all([
      this.gaps.waiting(),
      figures.details(unresolved.map(({ actionId }) => actionId)),
    ]);
    const groups = await seen;
    return {
      at,
      funnel: funnel(counts, open, at),
      rates: rates(steps),
      waiting: {
        reviews,
        unresolved: {
          count: open.unresolvedOpen,
          oldestAt: unresolved[0]?.at ?? null,
          first: unresolved.map(({ permitId, actionId, executor, connector, detail, at, decision }) => ({
            ...{ permitId, executor, connector, detail, at },
            action: details.get(actionId) ?? null,
            decidedBy: decision?.by ?? null,
          })),
        },
        deadLetters: {
          count: open.deadLettersOpen,
          oldestAt: letters.map(({ oldestAt }) => oldestAt).sort()[0] ?? null,
          byService: letters,
        },
        gaps: {
          count: gaps.reduce((sum, { n }) => sum + n, 0),
          oldestAt: gaps[0]?.oldestAt ?? null,
          byService: gaps,
        },
      },
      spend: spend(spent, charters),
      stops,
      lifted: lifted.filter(({ changedAt }) => changedAt >= since),
      permitsRejected,
      services: servicesHealth(
        participants,
        topics,
        groups,
        { topicsHeard, openDeadLetters: letters, notConfirmed: notConfirmed(stops, unconfirmed) },
        at,
      ),
      askedBrokerAt: groups.at,
      agents: charters.map(({ agent }) => agent),
      plays: policy?.content.plays.map(({ id }) => id) ?? [],
      playTitles: policy?.content.plays.map(({ id, title }) => ({ id, title })) ?? [],
    };
  }

  @Get('queue')
  @Documented({
    summary: 'What is under way: tasks without an answer, open reviews, approved actions that have not run',
    description: 'Of all, or of one scope of a stop: this is what the stop reaches.',
    answers: { 200: QueueAnswer },
  })
  async queued(@Query({ schema: QueueQuery }) { scope }: z.infer<typeof QueueQuery>) {
    const at = this.runtime.now();
    const inside = within(scope);
    const tasks = await this.queue.tasks(at, inside, many);
    const reviews = await this.queue.reviews(at, inside, many);
    const approved = await this.queue.approved(at, inside, many);
    const name = await this.controls.nameOf(scope);
    return { at, scope, name, tasks, reviews, approved };
  }
}

/** How many controls each reader has not confirmed, lifted ones among them. */
function notConfirmed(stops: readonly ControlRow[], lifted: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const found = new Map(lifted);
  for (const reader of stops.flatMap((control) => control.notConfirmedBy))
    found.set(reader, (found.get(reader) ?? 0) + 1);
  return found;
}
