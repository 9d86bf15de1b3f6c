import { topology } from '@countersign/contracts';
import { Documented, deployment, Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { problem } from '../core/problem.js';
import { EventRecordAnswer, StoriesAnswer, StoryAnswer } from '../core/stories.answers.js';
import { outcomes } from '../core/stories.js';
import {
  beginsWithFirst,
  chainOfTask,
  doerOf,
  eventOf,
  inOrder,
  type StepRow,
  stepsOf,
  traceUrlOf,
} from '../core/story-steps.js';
import { Limit } from './limit.js';
import { SETTINGS, type Settings } from './settings.js';
import { mostSteps, type StoryRow, StoryStore, type WholeStory } from './stories.repository.js';

const name = z.string().min(1).max(200);
const Search = z.object({
  search: z
    .string()
    .trim()
    .min(3, 'at least three characters are expected')
    .max(300)
    .refine((text) => !text.includes('\0'), 'no id has this character')
    .optional(),
  outcome: z.enum(outcomes).optional(),
  agent: name.optional(),
  play: name.optional(),
  account: name.optional(),
  before: z
    .string()
    .regex(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      'what an answer gave as `next` is expected',
    )
    .transform((text) => ({ at: text.slice(0, 24), id: text.slice(25) }))
    .optional(),
  limit: Limit,
});
/** An id may be as long as a signal's. */
const Id = z.string().min(1).max(300);
const Seq = z
  .string()
  .regex(/^[0-9]{1,15}$/, 'the number of a step is expected')
  .transform(Number);

const writers = new Map(topology(deployment()).map((topic) => [topic.name, topic.writer as string]));

/** The story of each proposal, from its cause to its result. */
@Controller('v1')
export class Stories {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(StoryStore) private readonly store: StoryStore,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** `search`: any id of a chain, an account, a contact, a campaign, or the first characters of one. */
  @Get('stories')
  @Documented({ summary: 'What happened to proposals, newest first', answers: { 200: StoriesAnswer } })
  async stories(@Query({ schema: Search }) { search, before, limit, ...filter }: z.infer<typeof Search>) {
    const at = this.runtime.now();
    // One row more shows whether there is a next page.
    const found =
      search === undefined
        ? { stories: await this.store.stories(filter, before, limit + 1), incomplete: false }
        : await this.store.named(search.toLowerCase(), filter, before, limit + 1);
    const stories = found.stories.slice(0, limit);
    const next = found.stories.length > limit ? cursorOf(stories.at(-1)) : null;
    if (search === undefined || before !== undefined || stories.length > 0)
      return { at, stories, chains: [], next, incomplete: found.incomplete };
    const { chains, incomplete } = await this.store.chains(search);
    return { at, stories, chains, next, incomplete: incomplete || found.incomplete };
  }

  /** `id`: the id of a proposal, or any other id of a chain. */
  @Get('stories/:id')
  @Documented({ summary: 'One story, step by step', answers: { 200: StoryAnswer }, problems: [404] })
  async story(@Param('id', { schema: Id }) id: string) {
    const found = await this.store.story(id);
    if (found) {
      const { story, taskId, runId } = found;
      const rows = await this.store.steps(story.correlationId, [story.id, taskId]);
      const before = chainOfTask(rows, taskId, story.correlationId);
      const led = before === undefined ? [] : await this.store.steps(before, []);
      const steps = stepsOf([...led, ...rows], { proposalId: story.id, taskId, runId });
      return this.storyAnswer(story, steps, Math.max(rows.length, led.length) >= mostSteps);
    }
    const chain = await this.store.chainOf(id);
    if (chain === undefined) throw notKnown(id);
    const rows = await this.store.steps(chain, []);
    return this.storyAnswer(null, inOrder(rows), rows.length >= mostSteps);
  }

  /** The data that a browser needs to compute the leaf that the record should have for an event. */
  @Get('events/:seq/record')
  @Documented({
    summary: 'The bytes of an event, as the record takes its digest over them',
    answers: { 200: EventRecordAnswer },
    problems: [404],
  })
  async record(@Param('seq', { schema: Seq }) seq: number) {
    const row = await this.store.step(seq);
    const event = eventOf(row?.bytes ?? null);
    if (!row?.bytes || !event || row.partition === null || row.offset === null)
      throw new Refused(
        problem(
          404,
          'Not kept here',
          'the console keeps the bytes of an event for seven days; the record keeps them for ever',
        ),
      );
    const { topic, partition, offset } = row;
    const { source, id } = event;
    return { topic, partition, offset, source, id, bytes: Buffer.from(row.bytes).toString('base64') };
  }

  private storyAnswer(story: WholeStory | null, rows: readonly StepRow[], more: boolean) {
    const { traceUrl } = this.settings;
    const steps = rows.map((row) => ({
      id: row.seq,
      at: row.at,
      type: row.type,
      detail: row.detail,
      by: doerOf(row, writers.get(row.topic) ?? 'unknown'),
      eventId: row.eventId,
      topic: row.topic,
      partition: row.partition,
      offset: row.offset,
      traceUrl: traceUrlOf(row, traceUrl),
      provable: row.bytes !== null,
    }));
    return { story, steps, more, complete: beginsWithFirst(rows, story !== null) };
  }
}

const cursorOf = (story: StoryRow | undefined): string | null => (story ? `${story.startedAt}_${story.id}` : null);
const notKnown = (id: string): Refused =>
  new Refused(
    problem(
      404,
      'Not known here',
      `nothing that the console knows has the id ${id}. It forgets what is older than 30 days; the record keeps everything: countersign show ${id}`,
    ),
  );
