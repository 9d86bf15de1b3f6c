import { join } from 'node:path';
import { firstStart, playSample, type StoryResult, sample, sampleSeed } from '@countersign/sample';
import { type Visitor, visit } from './installation.js';
import { installedIn } from './offer.js';
import { type Started, start } from './started.js';

/** Plays the sample of an installation, as `npm start` does. */
export async function playFor(visitor: Visitor): Promise<readonly StoryResult[]> {
  const first = firstStart(join(visitor.home, 'sample.json'), new Date().toISOString(), sampleSeed);
  const ports = visitor.ports();
  try {
    return await playSample(sample(first.start, first.seed), ports, { patienceMs: 120_000 });
  } finally {
    await ports.close();
  }
}

/** An installation as shipped, but for `changes`, in which the sample was played to its end. */
export async function startPlayed(...changes: Parameters<typeof start>): Promise<Started> {
  const started = await start(...changes);
  try {
    const visitor = await visit(installedIn(started));
    const results = await playFor(visitor).finally(() => visitor.leave());
    const wrong = results.filter(({ ok }) => !ok);
    if (wrong.length > 0) throw new Error(`the sample ended differently: ${JSON.stringify(wrong)}`);
    return started;
  } catch (error) {
    await started.stop();
    throw error;
  }
}
