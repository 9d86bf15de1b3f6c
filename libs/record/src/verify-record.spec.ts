import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { signCheckpoint } from './checkpoint.js';
import { type Leaf, leafHash } from './leaf.js';
import { append, emptyFrontier, rootOf, sha256 } from './merkle.js';
import { signingKey } from './note.js';
import { altered } from './testing.js';
import { type RecordReport, type StoredLeaf, verifyRecord } from './verify-record.js';

const origin = 'countersign.example/record';
const key = signingKey(origin, generateKeyPairSync('ed25519').privateKey);

const bytesOf = (n: number) => new Uint8Array(Buffer.from(`event ${n}`));
const stored = (leaf: Leaf, index: number, bytes: Uint8Array): StoredLeaf => ({
  index,
  leaf,
  hash: leafHash(leaf),
  bytes,
});

/** `size` leaves over three partitions. */
const record = (size: number): StoredLeaf[] =>
  Array.from({ length: size }, (_, n) => {
    const place = { topic: 'actions.settled.mailer.v1', partition: n % 3, offset: String(8 + Math.floor(n / 3)) };
    return stored({ ...place, source: '/mailer', id: `id-${n}`, sha256: sha256(bytesOf(n)) }, n, bytesOf(n));
  });

const checkpointOf = (leaves: readonly StoredLeaf[], size = leaves.length) => {
  const hashes = leaves.slice(0, size).map(({ leaf }) => leafHash(leaf));
  return signCheckpoint({ origin, size, root: rootOf(append(emptyFrontier, hashes).frontier) }, [key]);
};

const verify = (leaves: readonly StoredLeaf[], checkpoints: readonly string[], batch = 7): Promise<RecordReport> => {
  const batches = function* () {
    for (let from = 0; from < leaves.length; from += batch) yield leaves.slice(from, from + batch);
  };
  return verifyRecord({ entries: batches(), checkpoints, origin, keys: [key] });
};

const kinds = (report: RecordReport) => report.problems.map(({ kind, at }) => [kind, at]);
const whole = record(30);
const checkpoints = [30, 0, 10, 21].map((size) => checkpointOf(whole, size));

describe('a record', () => {
  test('that is whole has no problem, in whatever batches it is read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (batch) => {
        expect(await verify(whole, checkpoints, batch)).toEqual({
          ok: true,
          size: 30,
          root: checkpoints[0]?.split('\n')[2],
          confirmed: 30,
          checkpointsChecked: 4,
          eventsChecked: 30,
          commitmentsChecked: 0,
          problemCount: 0,
          problems: [],
        });
      }),
    );
  });

  test('that is read from an asynchronous source verifies as well', async () => {
    async function* leaves() {
      yield whole;
    }
    expect(await verifyRecord({ entries: leaves(), checkpoints, origin, keys: [key] })).toMatchObject({
      ok: true,
      size: 30,
    });
  });

  test('of a topic that was made again has its coordinates once more, under its own id; a repeat under one id is still found', async () => {
    const again = whole.map(({ leaf, index }) =>
      stored({ ...leaf, topicId: 'made-again' }, 30 + index, bytesOf(index)),
    );
    const both = [...whole, ...again];
    expect(await verify(both, [checkpointOf(both)])).toMatchObject({ ok: true, size: 60 });
    const twice = [...both, ...again.map((leaf) => ({ ...leaf, index: 30 + leaf.index }))];
    const found = await verify(twice, [checkpointOf(twice)]);
    expect(found.problemCount).toBe(30);
    expect(found.problems[0]).toMatchObject({ kind: 'repeat', at: { leaf: 60 } });
    expect(found.problems[0]?.detail).toContain('(made-again)');
  });

  test('that is empty has no problem', async () => {
    expect(await verify([], [])).toMatchObject({ ok: true, size: 0, confirmed: 0 });
  });

  test('verifies without bytes where its leaves do not say that they have any', async () => {
    const erased = whole.map((leaf, n) => (n < 20 ? { ...leaf, bytes: null } : leaf));
    expect(await verify(erased, checkpoints)).toMatchObject({ ok: true, confirmed: 30, eventsChecked: 10 });
  });

  test('tells how far signatures reach', async () => {
    expect(await verify(whole, [checkpointOf(whole, 10)])).toMatchObject({ ok: true, size: 30, confirmed: 10 });
  });

  test('without any checkpoint is not vouched for', async () => {
    expect(kinds(await verify(whole, []))).toEqual([['no-checkpoint', 'record']]);
  });
});

describe('it is found, and where,', () => {
  test('that the bytes of an event were erased, whatever its leaf says they were', async () => {
    for (const form of ['event', 'commitment', 'a word of its own']) {
      const erased: StoredLeaf = { ...(whole[12] as StoredLeaf), kept: form, bytes: null };
      const report = await verify(whole.with(12, erased), checkpoints);
      expect(kinds(report)).toEqual([['event-missing', { leaf: 12 }]]);
      expect(report).toMatchObject({ ok: false, confirmed: 30, eventsChecked: 29 });
    }
  });

  test('[case 60] that an event was altered', async () => {
    const report = await verify(whole.with(12, { ...(whole[12] as StoredLeaf), bytes: bytesOf(99) }), checkpoints);
    expect(kinds(report)).toEqual([['event-altered', { leaf: 12 }]]);
    expect(report.ok).toBe(false);
  });

  test('that any field of any leaf was altered under its stored hash', async () => {
    const fields = fc.constantFrom<Partial<Leaf>>(
      { topic: 'x' },
      { partition: 9 },
      { offset: '99999' },
      { source: null },
      { id: 'x' },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 29 }), fields, async (n, change) => {
        const old = whole[n] as StoredLeaf;
        const report = await verify(whole.with(n, { ...old, leaf: { ...old.leaf, ...change } }), checkpoints);
        expect(kinds(report)).toEqual([['leaf-altered', { leaf: n }]]);
      }),
    );
  });

  test('that a stored hash was altered', async () => {
    for (const hash of [altered((whole[12] as StoredLeaf).hash as Uint8Array, 3), new Uint8Array(3)]) {
      const report = await verify(whole.with(12, { ...(whole[12] as StoredLeaf), hash }), checkpoints);
      expect(report.problems[0]).toMatchObject({ kind: 'leaf-altered', at: { leaf: 12 } });
    }
  });

  test('that a leaf was altered with its event and its hash', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 29 }), async (n) => {
        const { leaf } = whole[n] as StoredLeaf;
        const forged = stored({ ...leaf, sha256: sha256(bytesOf(99)) }, n, bytesOf(99));
        const report = await verify(whole.with(n, forged), checkpoints);
        const hit = [30, 0, 10, 21].flatMap((size, place) => (size > n ? [{ size, place }] : []));
        const expected = hit
          .sort((a, b) => a.size - b.size)
          .map(({ place }) => ['root-mismatch', { checkpoint: place }]);
        expect(kinds(report)).toEqual(expected);
        expect(report.confirmed).toBe(n < 10 ? 0 : n < 21 ? 10 : 21);
      }),
    );
  });

  test('[case 60] that a leaf is missing', async () => {
    const report = await verify(whole.toSpliced(12, 1), checkpoints);
    expect(report.problems[0]).toEqual({ kind: 'gap', at: { leaf: 13 }, detail: 'leaf 12 is missing before it' });
    expect(report.confirmed).toBe(10);
    expect(kinds(report)).toContainEqual(['size-mismatch', { checkpoint: 0 }]);
  });

  test('[case 60] that a leaf was left out and the rest renumbered', async () => {
    const report = await verify(
      whole.toSpliced(12, 1).map((leaf, index) => ({ ...leaf, index })),
      checkpoints,
    );
    expect(kinds(report)).toEqual([
      ['root-mismatch', { checkpoint: 3 }],
      ['size-mismatch', { checkpoint: 0 }],
    ]);
  });

  test('[case 60] that the tail was cut', async () => {
    const report = await verify(whole.slice(0, 25), checkpoints);
    expect(report.problems).toEqual([
      { kind: 'size-mismatch', at: { checkpoint: 0 }, detail: 'it signs 30 leaves, the record has 25' },
    ]);
  });

  test('[case 60] that a record was rebuilt with valid hashes, against a checkpoint that somebody kept', async () => {
    const rebuilt = record(30).map(({ leaf, index }) => stored({ ...leaf, id: `new-${index}` }, index, bytesOf(index)));
    const report = await verify(rebuilt, [checkpointOf(rebuilt), checkpointOf(whole, 10)]);
    expect(kinds(report)).toEqual([['root-mismatch', { checkpoint: 1 }]]);
  });

  test('that two leaves were swapped with their hashes, the tail was cut with its checkpoints, or all was signed anew, against those that were published', async () => {
    const [fourth, fifth] = [whole[4] as StoredLeaf, whole[5] as StoredLeaf];
    const swapped = whole.with(4, { ...fifth, index: 4 }).with(5, { ...fourth, index: 5 });
    const cut = whole.slice(0, 25);
    for (const [rewritten, kind] of [
      [swapped, 'root-mismatch'],
      [cut, 'size-mismatch'],
    ] as const) {
      const anew = checkpointOf(rewritten);
      expect(kinds(await verify(rewritten, [anew])).filter(([kind]) => kind !== 'repeat')).toEqual([]);
      expect(kinds(await verify(rewritten, [anew, checkpointOf(whole)]))).toContainEqual([kind, { checkpoint: 1 }]);
    }
  });

  test.each([4, 29])('that a record of Kafka stands in the log twice: leaf %i', async (n) => {
    const twice = [...whole, { ...(whole[n] as StoredLeaf), index: 30 }];
    expect(kinds(await verify(twice, checkpoints))).toEqual([['repeat', { leaf: 30 }]]);
  });

  test('that two leaves hold one position', async () => {
    const report = await verify(whole.with(12, { ...(whole[12] as StoredLeaf), index: 4 }), checkpoints);
    expect(report.problems).toEqual([
      { kind: 'repeat', at: { leaf: 4 }, detail: 'it stands where leaf 12 was due' },
      { kind: 'gap', at: { leaf: 13 }, detail: 'leaf 12 is missing before it' },
    ]);
  });

  test('that a checkpoint is forged, of another log, or no checkpoint', async () => {
    const stranger = signingKey(origin, generateKeyPairSync('ed25519').privateKey);
    const head = { origin, size: 30, root: sha256() };
    const report = await verify(whole, [
      ...checkpoints,
      signCheckpoint(head, [stranger]),
      signCheckpoint({ ...head, origin: 'elsewhere.example' }, [key]),
      (checkpoints[0] as string).replace('\n30\n', '\n29\n'),
      'hello',
    ]);
    expect(kinds(report)).toEqual([
      ['unknown-key', { checkpoint: 4 }],
      ['wrong-origin', { checkpoint: 5 }],
      ['bad-signature', { checkpoint: 6 }],
      ['malformed', { checkpoint: 7 }],
    ]);
    expect(report).toMatchObject({ confirmed: 30, checkpointsChecked: 4 });
  });

  test('how many problems there are, beyond the thousand that are listed', async () => {
    const ruined = record(1500).map((leaf) => ({ ...leaf, bytes: bytesOf(-1) }));
    const report = await verify(ruined, [checkpointOf(ruined)]);
    expect(report.problemCount).toBe(1500);
    expect(report.problems).toHaveLength(1000);
  });
});
