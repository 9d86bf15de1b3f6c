import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, type Session } from '@countersign/client';

/** The record accepts a pass only after it has read the request for it from Kafka. */
const passWaitMs = 20_000;
const againMs = 250;

/** The whole record, for a purpose that the record keeps, requested as the page Record requests it. Only this call has the secret. */
export async function linesFor(s: Session, use: 'export' | 'verify', purpose: string): Promise<AsyncIterable<string>> {
  const secret = randomBytes(32).toString('base64url');
  const secretSha256 = createHash('sha256').update(secret).digest('hex');
  await s.console.post('/v1/record/passes', { use, purpose, secretSha256 });
  const record = s.auditWith(secret);
  for (const until = performance.now() + passWaitMs; ; await sleep(againMs)) {
    try {
      return await record.lines('/v1/passes/export');
    } catch (error) {
      if (!(error instanceof Failure) || (error.problem as { status?: number } | undefined)?.status !== 401)
        throw error;
      if (performance.now() > until)
        throw new Failure(
          2,
          `audit-recorder has not read the request within ${passWaitMs / 1_000} s: see whether it runs (\`countersign status\`), then try again`,
        );
    }
  }
}
