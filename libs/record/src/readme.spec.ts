import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  append,
  emptyFrontier,
  eventBytes,
  type Leaf,
  leafHash,
  openCheckpoint,
  proveInclusion,
  readerOfLeaves,
  rootOf,
  sha256,
  signCheckpoint,
  signingKey,
  verifyInclusion,
  verifyRecord,
} from './index.js';

const privateKey = generateKeyPairSync('ed25519').privateKey;
const kafka = [0, 1, 2].map((n) => ({
  topic: 'actions.approved.v1',
  partition: 0,
  offset: String(n),
  key: Buffer.from('account-1'),
  headers: { ce_id: `id-${n}`, ce_source: '/guardrail-validator' },
  value: Buffer.from('{}'),
}));

test('the example of the README works', async () => {
  // README
  const origin = 'countersign.example/record';
  const key = signingKey(origin, privateKey);

  // Append: a batch of Kafka records, knowing only the frontier.
  const leaves: Leaf[] = kafka.map((record) => ({
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    source: record.headers.ce_source,
    id: record.headers.ce_id,
    sha256: sha256(eventBytes(record)),
  }));
  const hashes = leaves.map(leafHash);
  const { frontier } = append(emptyFrontier, hashes);
  const note = signCheckpoint({ origin, size: frontier.size, root: rootOf(frontier) }, [key]);

  // Prove: anybody with the log's verifier key can check that leaf 1 is on record.
  const proof = await proveInclusion(
    1,
    3,
    readerOfLeaves((from, to) => hashes.slice(from, to)),
  );
  const opened = openCheckpoint(note, { origin, keys: [key] });
  if (!opened.ok) throw new Error(opened.detail);
  const onRecord = verifyInclusion({ leafHash: leafHash(leaves[1] as Leaf), index: 1, head: opened.checkpoint, proof });

  // Verify: everything stored against everything signed.
  const stored = leaves.map((leaf, index) => ({ index, leaf, bytes: eventBytes(kafka[index] as (typeof kafka)[0]) }));
  const report = await verifyRecord({ entries: [stored], checkpoints: [note], origin, keys: [key] });
  // END

  expect(onRecord).toBe(true);
  expect(report).toMatchObject({ ok: true, size: 3, confirmed: 3, checkpointsChecked: 1, eventsChecked: 3 });
});

test('the README shows exactly this example', () => {
  const source = readFileSync(new URL(import.meta.url), 'utf8');
  const [, example = ''] = /\n {2}\/\/ README\n(.*)\n {2}\/\/ END\n/s.exec(source) ?? [];
  const [, shown] = /```ts\n(.*?)\n```/s.exec(readFileSync(new URL('../README.md', import.meta.url), 'utf8')) ?? [];
  expect(shown).toBe(example.replaceAll(/^ {2}/gm, ''));
});
