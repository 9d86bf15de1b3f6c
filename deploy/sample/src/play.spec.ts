import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sample, signalsOf } from './core/sample.js';
import { firstStart } from './first-start.js';
import { playSample } from './play.js';
import { type Flaws, standIn } from './testing.js';

const start = '2026-03-10T12:00:00.000Z';
const quick = { patienceMs: 400, lookEveryMs: 1 };
const notOk = (results: readonly { id: string; ok: boolean }[]) => results.filter((t) => !t.ok).map((t) => t.id);

test('every story ends as it should and is told in one line', async () => {
  const { ports, acts } = standIn(start);
  const results = await playSample(sample(start), ports, quick);
  expect(notOk(results)).toEqual([]);
  expect(results).toHaveLength(9);
  for (const { detail } of results) expect(detail).toMatch(/^[^\n]{20,400}$/);
  expect(acts.map((a) => a.kind)).toEqual(['campaigns', 'review', 'stop', 'resume']);
  expect(acts[1]).toMatchObject({ decision: 'edit', by: 'lea', payload: { amountMinor: 15_000 } });
});

test('a second start publishes the same ids, does nothing again and tells the same', async () => {
  const world = standIn(start);
  const first = await playSample(sample(start), world.ports, quick);
  const [acted, published] = [world.acts.length, world.published()];
  const effects = () => world.events.filter((e) => e.type === 'ActionSettled' || e.type === 'TaskAssigned').length;
  // Messages that no story waits for are sent as well.
  for (let look = 0; look < 300; look++) world.ports.events();
  const before = effects();
  expect(await playSample(sample(start), world.ports, quick)).toEqual(first);
  expect(world.acts).toHaveLength(acted);
  expect(world.published()).toBe(2 * published);
  expect(effects()).toBe(before);
});

test.each<[string, Flaws, readonly string[]]>([
  ['an executor that sends to somebody who unsubscribed', { sendsAfterUnsubscribe: true }, ['unsubscribe']],
  ['a validator that ignores a stop', { ignoresControls: true }, ['stop']],
  ['an ingestion that takes duplicates', { takesDuplicates: true }, ['bad-signals']],
])('%s is noticed by its story', async (_name, flaws, noticed) => {
  const results = await playSample(sample(start), standIn(start, flaws).ports, quick);
  expect(notOk(results)).toEqual(noticed);
});

test('progress names every signal that was published', async () => {
  let signals = 0;
  const { ports } = standIn(start);
  const onProgress: typeof ports.onProgress = (p) => {
    if (p.kind === 'published') signals += p.signals;
  };
  await playSample(sample(start), { ...ports, onProgress }, quick);
  expect(signals).toBeGreaterThan(signalsOf(sample(start)).length);
});

test('an abort ends the play', async () => {
  const { ports } = standIn(start);
  await expect(playSample(sample(start), ports, { ...quick, signal: AbortSignal.abort() })).rejects.toThrow();
});

const folder = mkdtempSync(join(tmpdir(), 'sample-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the first start is remembered, and a file that cannot be understood is an error', () => {
  const path = join(folder, 'deeper', 'sample.json');
  expect(firstStart(path, start, 7)).toEqual({ start, seed: 7 });
  expect(firstStart(path, '2027-01-01T00:00:00.000Z', 8)).toEqual({ start, seed: 7 });
  writeFileSync(path, 'half a f');
  expect(() => firstStart(path, start, 7)).toThrow(/cannot be understood/);
});
