import { Documented, Public } from '@countersign/runtime';
import { Controller, Get, Header, Inject, Query, UseGuards } from '@nestjs/common';
import { z } from 'zod';
import { ConsistencyAnswer, InclusionAnswer } from '../core/answers.js';
import { place, whole } from './addresses.js';
import { findLeafWith } from './log.repository.js';
import { ForAnybody } from './proofs.guard.js';
import { Proofs, refused } from './proofs.service.js';

const Content = z.object({
  ...place,
  sha256: z.string('a SHA-256 is expected').regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal is expected'),
});
const Consistency = z.object({ from: whole() });

/**
 * The public part of the record, so that a browser can check what the console shows: signed heads and hashes. A proof of inclusion needs
 * the content of the entry, so a reader learns nothing here about what happened.
 */
@Controller('v1/proofs')
@UseGuards(ForAnybody)
export class ProofPages {
  constructor(@Inject(Proofs) private readonly proofs: Proofs) {}

  @Get('checkpoint')
  @Public()
  @Documented({
    summary: 'The latest checkpoint, as it was signed, for anybody',
    answers: { 200: { media: 'text/plain' } },
    problems: [409],
  })
  @Header('content-type', 'text/plain; charset=utf-8')
  async checkpoint(): Promise<string> {
    return (await this.proofs.latest()).note;
  }

  /** `sha256` is the hash of the event's bytes (key, headers and value) in the form of `eventBytes` of the record's library. */
  @Get('inclusion')
  @Public()
  @Documented({
    summary: 'Proof that a record whose content is known is among those that the latest checkpoint signs',
    answers: { 200: InclusionAnswer },
    problems: [404, 409],
  })
  async inclusion(@Query({ schema: Content }) { topic, partition, offset, sha256 }: z.infer<typeof Content>) {
    const found = await findLeafWith(this.proofs.read, topic, partition, String(offset), sha256);
    // The answer is the same for an unknown place and for unknown content: outsiders do not learn how much happens.
    if (!found) throw refused(404, 'Not on record', 'no record with this content is on record at this place');
    return { ...found, ...(await this.proofs.inclusion(found.index)) };
  }

  @Get('consistency')
  @Public()
  @Documented({
    summary: 'Proof that an earlier state of the record is a beginning of the latest, for anybody',
    answers: { 200: ConsistencyAnswer },
    problems: [409],
  })
  consistency(@Query({ schema: Consistency }) { from }: z.infer<typeof Consistency>) {
    return this.proofs.consistency(from);
  }
}
