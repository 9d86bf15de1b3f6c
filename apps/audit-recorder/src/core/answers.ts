import { Instant, Sha256 } from '@countersign/contracts';
import { z } from 'zod';

/* The answers of the record, for its OpenAPI document. The harness of the tests compares each answer with these. */

const Hash = z.base64().describe('A hash in base64');
const Note = z.string().describe('A signed note: the checkpoint as it was signed');
export const CheckpointsAnswer = z.object({
  origin: z.string(),
  verifierKey: z.string(),
  checkpoints: z.array(z.object({ size: z.int(), note: Note, at: Instant })),
  next: z.int().nullable().describe('What the next page wants as `after`; null where there is none'),
});
export const ProofAnswer = z.object({
  index: z.int(),
  leaf: z.object({
    topic: z.string(),
    partition: z.int(),
    offset: z.string(),
    topicId: z.string().optional(),
    source: z.string().nullable(),
    id: z.string().nullable(),
    sha256: Sha256,
  }),
  leafHash: Hash,
  checkpoint: Note,
  proof: z.array(Hash),
});
export const InclusionAnswer = z.object({
  index: z.int(),
  topicId: z.string().nullable().describe('Of the leaf, where its topic was deleted and made again'),
  checkpoint: Note,
  proof: z.array(Hash),
});
export const ConsistencyAnswer = z.object({ from: z.int(), to: z.int(), checkpoint: Note, proof: z.array(Hash) });
export const StoryAnswer = z.object({
  id: z.string(),
  found: z.boolean(),
  title: z.string(),
  lines: z.array(z.object({ at: z.string(), what: z.string(), detail: z.string() })),
  events: z.array(
    z.object({
      at: z.string(),
      topic: z.string(),
      partition: z.int(),
      offset: z.string(),
      type: z.string().nullable(),
      id: z.string().nullable(),
      index: z.int(),
    }),
  ),
});
