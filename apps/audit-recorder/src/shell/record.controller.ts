import { Readable } from 'node:stream';
import {
  exportCheckpoint,
  exportHeader,
  exportLeaf,
  formatVerifierKey,
  openCheckpoint,
  proveConsistency,
  proveInclusion,
} from '@countersign/record';
import { Documented, Refused, Roles, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Get, Header, Inject, Param, Query, StreamableFile } from '@nestjs/common';
import { z } from 'zod';
import { CheckpointsAnswer, ConsistencyAnswer, ProofAnswer, StoryAnswer } from '../core/answers.js';
import {
  beforeAll,
  findLeaf,
  lastCheckpoint,
  mostCheckpoints,
  type Reader,
  readCheckpoints,
  readEntries,
  readHead,
  treeReader,
} from './log.repository.js';
import { SETTINGS, type Settings } from './settings.js';
import { Stories, type Story } from './stories.repository.js';

/** A whole number of an address, in digits. */
const whole = (most = Number.MAX_SAFE_INTEGER, least = 0) =>
  z
    .string(expected(least, most))
    .regex(/^(0|[1-9][0-9]{0,15})$/, expected(least, most))
    .transform(Number)
    .pipe(z.number().min(least, expected(least, most)).max(most, expected(least, most)));
const expected = (least: number, most: number) => `a whole number from ${least} to ${most} is expected`;

const Checkpoints = z.object({
  after: whole().default(beforeAll),
  limit: whole(mostCheckpoints, 1).default(100),
});
const Proof = z.object({
  topic: z.string('the name of a topic is expected').min(1, 'the name of a topic is expected').max(300),
  partition: whole(2_147_483_647),
  offset: whole(),
  topicId: z.string().max(100).optional(),
});
const Consistency = z.object({ from: whole() });
/** The rest of an address: an id may be longer than a parameter may. */
const AnyId = z.string();

/** The record over HTTP, for auditors. */
@Controller('v1')
@Roles('auditor')
export class Pages {
  private readonly read: Reader;

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(Stories) private readonly stories: Stories,
  ) {
    this.read = (sql, params) => runtime.readForPage(sql, params);
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
    return (await this.latest()).note;
  }

  /** Checkpoints, oldest first, a page at a time: `next` is what the next page wants as `after`, null where there is none. */
  @Get('record/checkpoints')
  @Documented({ summary: 'Checkpoints, oldest first, a page at a time', answers: { 200: CheckpointsAnswer } })
  async checkpoints(@Query({ schema: Checkpoints }) { after, limit }: z.infer<typeof Checkpoints>) {
    const { origin, signingKey } = this.settings;
    // One more tells whether there is a next page.
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
  async export(): Promise<StreamableFile> {
    const { origin, signingKey } = this.settings;
    const reads = this.runtime.beginExport();
    const read: Reader = (sql, params) => reads.query(sql, params);
    const last = await lastCheckpoint(read);
    // Read after the last checkpoint: the head that it signs is within these leaves.
    const { size } = await readHead(read);
    const lines = async function* () {
      yield `${exportHeader({ origin, key: signingKey, checkpoint: last?.note ?? null })}\n`;
      for await (const page of readEntries(read, size, last?.size ?? beforeAll)) {
        const lines = 'notes' in page ? page.notes.map(exportCheckpoint) : page.leaves.map(exportLeaf);
        yield lines.map((line) => `${line}\n`).join('');
      }
    };
    return new StreamableFile(Readable.from(lines(), { objectMode: false }), { type: 'application/x-ndjson' });
  }

  /**
   * Shows that one Kafka record is among those that the latest checkpoint signs. Hashes in base64. `topicId` asks for the record of a
   * topic that was made again since: that id, or an empty one for the topic as it was first.
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
    const { size, note } = await this.latest();
    if (found.index >= size) throw notSigned(`leaf ${found.index} is in no checkpoint yet: try again soon`);
    const proof = await proveInclusion(found.index, size, treeReader(this.read));
    const { leaf, index, hash } = found;
    return {
      index,
      leaf: { ...leaf, sha256: Buffer.from(leaf.sha256).toString('hex') },
      leafHash: base64(hash),
      checkpoint: note,
      proof: proof.map(base64),
    };
  }

  /** Shows that the log of the first `from` leaves is a beginning of that of the latest checkpoint. Hashes in base64. */
  @Get('record/consistency')
  @Documented({
    summary: 'Proof that an earlier state of the record is a beginning of the latest',
    answers: { 200: ConsistencyAnswer },
    problems: [409],
  })
  async consistency(@Query({ schema: Consistency }) { from }: z.infer<typeof Consistency>) {
    const { size, note } = await this.latest();
    if (from > size) throw notSigned(`the latest checkpoint signs ${size} leaves, fewer than ${from}`);
    const proof = await proveConsistency(from, size, treeReader(this.read));
    return { from, to: size, checkpoint: note, proof: proof.map(base64) };
  }

  /** The story of whatever the rest of the path names, in plain words: an id may be longer than a path parameter may. */
  @Get('show/*')
  @Documented({ summary: 'The story of whatever an id names, in plain words', answers: { 200: StoryAnswer } })
  show(@Param('*', { schema: AnyId }) id: string): Promise<Story> {
    return this.stories.show(id);
  }

  private async latest() {
    const last = await lastCheckpoint(this.read);
    if (!last) throw notSigned('nothing has been signed yet: try again soon');
    const { origin, signingKey } = this.settings;
    // What is given out as signed is checked: a note that was changed in the table is not passed on.
    if (!openCheckpoint(last.note, { origin, keys: [signingKey] }).ok) {
      throw refused(
        500,
        'Record altered',
        'the stored checkpoint is not the one that was signed: somebody changed the record. Keep the database as it is, run countersign verify, and compare with a checkpoint that is kept elsewhere',
      );
    }
    return last;
  }
}

const refused = (status: number, title: string, detail: string): Refused => new Refused({ status, title, detail });
const notSigned = (detail: string): Refused => refused(409, 'Not signed yet', detail);

const base64 = (hash: Uint8Array): string => Buffer.from(hash).toString('base64');
