import { Instant, Name, Uuid } from '@countersign/contracts';
import { z } from 'zod';
import { NamedCampaigns, NamedPeople } from './names.answers.js';
import { refusers } from './refused-by.js';
import { outcomes } from './stories.js';

/* The answers for the pages Stories and Record. */

export const Story = z.object({
  id: Uuid.describe('The proposal'),
  sentence: z.string().describe('What the action does, in plain words'),
  outcome: z.enum(outcomes),
  reason: z.string().nullable().describe('Why it waits, was refused or failed'),
  agent: Name,
  play: z.object({ id: Name, title: z.string() }),
  kind: z.string().nullable(),
  account: z.object({ id: z.string(), name: z.string().nullable() }).nullable(),
  people: NamedPeople,
  campaigns: NamedCampaigns,
  correlationId: z.string(),
  startedAt: Instant,
  changedAt: Instant,
});
export const Chain = z.object({
  id: z.string().describe('The correlation id: what began it'),
  type: z.string(),
  detail: z.string(),
  at: Instant,
});
export const StoriesAnswer = z.object({
  at: Instant,
  stories: z.array(Story),
  chains: z.array(Chain).describe('What else has the name that was looked for, where no story has it'),
  next: z.string().nullable().describe('What the next page wants as `before`; null where there is none'),
  incomplete: z
    .boolean()
    .describe('Whether more names begin with what was looked for than are looked at. A longer text finds the others'),
});
export const Step = z.object({
  id: z.string().describe('Of this step, for its record'),
  at: Instant,
  type: z.string(),
  detail: z.string(),
  by: z.object({ kind: z.enum(['person', 'agent', 'service', 'source']), name: z.string() }),
  eventId: z.string(),
  topic: z.string(),
  partition: z.int().nullable(),
  offset: z.string().nullable(),
  traceUrl: z.string().nullable(),
  provable: z.boolean().describe('Whether the console still has the bytes of its event'),
});
export const StoryAnswer = z.object({
  story: Story.extend({
    reasons: z
      .array(z.object({ rule: z.string(), detail: z.string() }))
      .describe('The rules that refused it; none where no rule did, or where its executor refused it'),
    refusedBy: z
      .enum(refusers)
      .nullable()
      .describe('What refused it, which decides what a person can do next; null where it was not refused'),
  })
    .nullable()
    .describe('Null where what was asked for is about no proposal'),
  steps: z.array(Step),
  more: z.boolean().describe('Whether there are more steps than are given'),
  complete: z
    .boolean()
    .describe('Whether the first step given began the story; false where the console does not have what was before it'),
});
export const EventRecordAnswer = z.object({
  topic: z.string(),
  partition: z.int(),
  offset: z.string(),
  source: z.string(),
  id: z.string(),
  bytes: z.base64().describe('Key, headers and value, in the form that the record takes its digest over'),
});

export const SeenCheckpoint = z.object({
  size: z.int(),
  root: z.string(),
  origin: z.string(),
  note: z.string(),
  at: Instant,
});
export const RecordAnswer = z.object({
  url: z.string().nullable().describe('Where browsers reach the record; null where nobody set it'),
  key: z.string().nullable().describe('What its checkpoints are verified with'),
  latest: SeenCheckpoint.nullable().describe('The largest checkpoint that the console has seen'),
});
export const SeenCheckpointsAnswer = z.object({
  checkpoints: z.array(SeenCheckpoint),
  next: z.int().nullable().describe('What the next page wants as `before`; null where there is none'),
});
