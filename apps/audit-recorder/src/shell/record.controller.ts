import { formatVerifierKey } from '@countersign/record';
import { Documented, Roles } from '@countersign/runtime';
import { Controller, Get, Header, Inject, Param, Query, type StreamableFile } from '@nestjs/common';
import { z } from 'zod';
import { CheckpointsAnswer, ConsistencyAnswer, ProofAnswer, StoryAnswer } from '../core/answers.js';
import { place, whole } from './addresses.js';
import { Export } from './export.service.js';
import { beforeAll, findLeaf, mostCheckpoints, type Reader, readCheckpoints } from './log.repository.js';
import { base64, Proofs, refused } from './proofs.service.js';
import { SETTINGS, type Settings } from './settings.js';
import { Stories, type Story } from './stories.repository.js';

const Checkpoints = z.object({
  after: whole().default(beforeAll),
  limit: whole(mostCheckpoints, 1).default(100),
});
const Proof = z.object({ ...place, topicId: z.string().max(100).optional() });
const Consistency = z.object({ from: whole() });
/** The rest of an address: an id may be longer than a path parameter may be. */
const AnyId = z.string();

/** The record over HTTP, for auditors. */
@Controller('v1')
@Roles('auditor')
export class Pages {
  private readonly read: Reader;

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(Stories) private readonly stories: Stories,
    @Inject(Proofs) private readonly proofs: Proofs,
    @Inject(Export) private readonly exporting: Export,
  ) {
    this.read = proofs.read;
  }

  /** The latest signed note, as it was signed. */
  @Get('record/checkpoint')
  @Documented({
    summary: 'The latest checkpoint, as it was signed',
    answers: { 200: { media: 'text/plain' } },
    problems: [409],
  })
  @Header('content-type', 'text/plain; charset=utf-8')
  async checkpoint(): Promise<string> {
    return (await this.proofs.latest()).note;
  }

  /** Checkpoints, oldest first, one page at a time. `next` is the `after` of the next page, or null if there is none. */
  @Get('record/checkpoints')
  @Documented({ summary: 'Checkpoints, oldest first, a page at a time', answers: { 200: CheckpointsAnswer } })
  async checkpoints(@Query({ schema: Checkpoints }) { after, limit }: z.infer<typeof Checkpoints>) {
    const { origin, signingKey } = this.settings;
    // One row more shows whether there is a next page.
    const read = await readCheckpoints(this.read, after, limit + 1);
    const checkpoints = read.slice(0, limit);
    const next = read.length > limit ? (checkpoints.at(-1)?.size ?? null) : null;
    return { origin, verifierKey: formatVerifierKey(signingKey), checkpoints, next };
  }

  /** The whole record as lines, in the form that `readExport` of the record's library reads. */
  @Get('record/export')
  @Documented({
    summary: 'The whole record as lines of JSON',
    answers: { 200: { media: 'application/x-ndjson' } },
  })
  export(): Promise<StreamableFile> {
    return this.exporting.begin();
  }

  /**
   * Proves that one Kafka record is among those that the latest checkpoint signs. Hashes are in base64. For a topic that was created
   * again since, `topicId` selects the topic: its id, or an empty one for the first topic of this name.
   */
  @Get('record/proof')
  @Documented({
    summary: 'Proof that one Kafka record is among those that the latest checkpoint signs',
    answers: { 200: ProofAnswer },
    problems: [404, 409],
  })
  async proof(@Query({ schema: Proof }) { topic, partition, offset, topicId }: z.infer<typeof Proof>) {
    const found = await findLeaf(this.read, topic, partition, String(offset), topicId);
    if (!found?.hash) throw refused(404, 'Not on record', `no leaf for ${topic} ${partition}/${offset}`);
    const { leaf, index, hash } = found;
    return {
      index,
      leaf: { ...leaf, sha256: Buffer.from(leaf.sha256).toString('hex') },
      leafHash: base64(hash),
      ...(await this.proofs.inclusion(index)),
    };
  }

  /** Proves that the log of the first `from` leaves is a beginning of the log that the latest checkpoint signs. Hashes are in base64. */
  @Get('record/consistency')
  @Documented({
    summary: 'Proof that an earlier state of the record is a beginning of the latest',
    answers: { 200: ConsistencyAnswer },
    problems: [409],
  })
  consistency(@Query({ schema: Consistency }) { from }: z.infer<typeof Consistency>) {
    return this.proofs.consistency(from);
  }

  /** The story of the id in the rest of the path, in plain words: an id may be longer than a path parameter may be. */
  @Get('show/*')
  @Documented({ summary: 'The story of whatever an id names, in plain words', answers: { 200: StoryAnswer } })
  show(@Param('*', { schema: AnyId }) id: string): Promise<Story> {
    return this.stories.show(id);
  }
}
