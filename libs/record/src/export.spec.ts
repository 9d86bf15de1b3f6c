import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { signCheckpoint } from './checkpoint.js';
import { type ExportedLeaf, exportCheckpoint, exportHeader, exportLeaf, readExport } from './export.js';
import { eventBytes, leafHash } from './leaf.js';
import { append, emptyFrontier, rootOf, sha256 } from './merkle.js';
import { formatVerifierKey, signingKey } from './note.js';
import { verifyRecord } from './verify-record.js';

const origin = 'countersign.example/record';
const key = signingKey(origin, generateKeyPairSync('ed25519').privateKey);

const leafOf = (index: number): ExportedLeaf => {
  const secret = index % 5 === 0;
  const value = Buffer.from(JSON.stringify({ n: index }));
  const bytes = secret ? sha256(value) : eventBytes({ key: null, headers: { ce_id: `id-${index}` }, value });
  const leaf = {
    topic: secret ? 'signals.inbound.crm.v1' : 'actions.refused.v1',
    partition: 0,
    offset: String(index),
    ...(index % 3 === 0 && { topicId: 'made-again' }),
    source: secret ? null : '/countersign/guardrail-validator',
    id: secret ? null : `id-${index}`,
    sha256: sha256(bytes),
  };
  return {
    index,
    leaf,
    hash: leafHash(leaf),
    bytes,
    kept: secret ? 'commitment' : 'event',
    at: '2026-11-21T10:00:00.000Z',
  };
};

const leaves = Array.from({ length: 1203 }, (_, index) => leafOf(index));
const noteOf = (size: number, signer = key): string => {
  const { frontier } = append(
    emptyFrontier,
    leaves.slice(0, size).map(({ leaf }) => leafHash(leaf)),
  );
  return signCheckpoint({ origin, size, root: rootOf(frontier) }, [signer]);
};
const note = noteOf(leaves.length);
const lines = [exportHeader({ origin, key, checkpoint: note }), exportCheckpoint(note), ...leaves.map(exportLeaf)];
/** Where the line of a leaf is. */
const lineOf = (leaf: number) => leaf + 2;

const allOf = async (given: Iterable<string> | AsyncIterable<string>) => {
  const opened = await readExport(given);
  const found: ExportedLeaf[] = [];
  for await (const batch of opened.entries) found.push(...batch.filter((entry) => 'leaf' in entry));
  return found;
};

describe('an export', () => {
  test('gives back every leaf as it was', async () => {
    expect(await allOf(lines)).toEqual(leaves);
  });

  test('[case 57] verifies offline with nothing else', async () => {
    expect(await verifyRecord(await readExport(lines))).toMatchObject({
      ok: true,
      size: leaves.length,
      confirmed: leaves.length,
      eventsChecked: leaves.length,
    });
  });

  test('is read from an asynchronous source, blank lines passed over', async () => {
    async function* source() {
      yield* lines;
      yield '';
    }
    expect(await allOf(source())).toHaveLength(leaves.length);
  });

  test('names the leaf whose event was changed in it', async () => {
    const changed = lines.map((line, n) =>
      n === lineOf(7) ? exportLeaf({ ...(leaves[7] as ExportedLeaf), bytes: Uint8Array.of(1) }) : line,
    );
    expect((await verifyRecord(await readExport(changed))).problems).toMatchObject([
      { kind: 'event-altered', at: { leaf: 7 } },
    ]);
  });

  test('names the leaf whose bytes were erased, and counts commitments apart', async () => {
    const erased = lines.map((line, n) =>
      n === lineOf(7) ? exportLeaf({ ...(leaves[7] as ExportedLeaf), bytes: null }) : line,
    );
    const report = await verifyRecord(await readExport(erased));
    expect(report.problems).toMatchObject([{ kind: 'event-missing', at: { leaf: 7 } }]);
    const commitments = leaves.filter(({ kept, index }) => kept === 'commitment' && index !== 7);
    expect(report).toMatchObject({ eventsChecked: leaves.length - 1, commitmentsChecked: commitments.length });
    expect(commitments.length).toBeGreaterThan(0);
  });

  test('that was cut after a line does not verify', async () => {
    expect((await verifyRecord(await readExport(lines.slice(0, 900)))).problems).toMatchObject([
      { kind: 'size-mismatch' },
    ]);
  });

  test('is read with leaves without bytes, as an erased event leaves them', async () => {
    const erased = { ...(leaves[1] as ExportedLeaf), bytes: null };
    expect(await allOf([lines[0] as string, exportLeaf(erased)])).toEqual([erased]);
  });
});

describe('an export of many checkpoints', () => {
  const sizes = Array.from({ length: 120 }, (_, n) => (n + 1) * 10);
  const notes = sizes.map((size) => noteOf(size));
  const last = notes.at(-1) as string;
  const header = exportHeader({ origin, key, checkpoint: last });
  /** With the checkpoints of each ten leaves before these, as `change` has them. */
  const exported = (change: (notes: readonly string[]) => readonly string[] = (same) => same, first = header) => {
    const changed = change(notes);
    const spread = leaves.flatMap((leaf, n) => {
      const due = n % 10 === 0 ? (changed[n / 10] ?? '') : '';
      return [...(due === '' ? [] : [exportCheckpoint(due)]), exportLeaf(leaf)];
    });
    return [first, ...spread];
  };
  const verified = async (given: readonly string[], more: readonly string[] = []) => {
    const opened = await readExport(given);
    const report = await verifyRecord({ ...opened, checkpoints: [...opened.checkpoints, ...more] });
    return { ...report, found: report.problems.map(({ kind, at }) => [kind, at]) };
  };

  test('has a first line that is no longer than with one, and all of them are checked', async () => {
    const given = exported();
    expect(given[0]).toHaveLength((lines[0] as string).length);
    expect(await verified(given)).toMatchObject({ ok: true, size: 1203, confirmed: 1200, checkpointsChecked: 120 });
  });

  test('of an earlier version, that has all of them in its first line, is verified too', async () => {
    const first = (all: readonly string[]) =>
      JSON.stringify({ origin, verifierKey: formatVerifierKey(key), checkpoints: all });
    const earlier = (all: readonly string[]) => [first(all), ...leaves.map(exportLeaf)];
    expect(await verified(earlier(notes))).toMatchObject({ ok: true, confirmed: 1200, checkpointsChecked: 120 });
    const forged = notes.with(3, (notes[3] as string).replace('\n40\n', '\n41\n'));
    expect((await verified(earlier(forged))).found).toEqual([['bad-signature', { checkpoint: 3 }]]);
    expect((await verified(earlier(notes).slice(0, 600))).found[0]).toEqual(['size-mismatch', { checkpoint: 59 }]);
  });

  test('does not check again what somebody kept besides, and checks what it lacks', async () => {
    expect(await verified(exported(), [last, notes[7] as string])).toMatchObject({ ok: true, checkpointsChecked: 120 });
    const other = signCheckpoint({ origin, size: 50, root: sha256() }, [key]);
    expect((await verified(exported(), [other])).found).toEqual([['root-mismatch', { checkpoint: 1 }]]);
  });

  test.each<[string, (all: readonly string[]) => readonly string[], unknown[]]>([
    ['is missing at the end', (all) => all.slice(0, -1), [['checkpoint-missing', 'record']]],
    ['is there twice', (all) => all.with(5, all[4] as string), [['out-of-order', { checkpoint: 6 }]]],
    ['is there once more at the end', (all) => [...all, last], [['out-of-order', { checkpoint: 121 }]]],
    [
      'stands where another one belongs',
      (all) => all.with(5, all[6] as string).with(6, all[5] as string),
      [['out-of-order', { checkpoint: 7 }]],
    ],
    [
      'was altered',
      (all) => all.with(5, (all[5] as string).replace('\n60\n', '\n61\n')),
      [['bad-signature', { checkpoint: 6 }]],
    ],
    [
      'signs another tree',
      (all) => all.with(5, signCheckpoint({ origin, size: 60, root: sha256() }, [key])),
      [['root-mismatch', { checkpoint: 6 }]],
    ],
    [
      'is of another key',
      (all) => all.with(5, noteOf(60, signingKey(origin, generateKeyPairSync('ed25519').privateKey))),
      [['unknown-key', { checkpoint: 6 }]],
    ],
  ])('of which one %s is found and named', async (_, change, found) => {
    expect((await verified(exported(change))).found).toEqual(found);
  });

  test('of which one stands behind more leaves than it signs is found and named', async () => {
    const given = exported();
    const from = given.indexOf(exportCheckpoint(notes[5] as string));
    const behind = (n: number) => given.toSpliced(from, 1).toSpliced(from + n, 0, given[from] as string);
    expect((await verified(behind(10))).found).toEqual([]);
    // Of the line behind the last leaf that it signs is the next checkpoint.
    expect((await verified(behind(11))).found).toEqual([['out-of-order', { checkpoint: 7 }]]);
    const alone = given.filter((line) => line !== exportCheckpoint(notes[6] as string));
    expect((await verified(alone.toSpliced(from, 1).toSpliced(from + 11, 0, alone[from] as string))).found).toEqual([
      ['out-of-order', { checkpoint: 6 }],
    ]);
  });

  test('that ends before the last signed leaf does not verify', async () => {
    const given = exported();
    for (const length of [1, 2, 3, 12, 13, 700, given.length - 4]) {
      expect((await verified(given.slice(0, length))).found[0]).toEqual(['size-mismatch', { checkpoint: 0 }]);
    }
  });

  test('that was cut before the leaves that a checkpoint signs is named by that one too', async () => {
    const { found } = await verified(exported().slice(0, 2));
    expect(found).toEqual([
      ['size-mismatch', { checkpoint: 0 }],
      ['size-mismatch', { checkpoint: 1 }],
    ]);
  });

  test('of which the first line was altered does not verify', async () => {
    const first = (checkpoint: string | null) => exportHeader({ origin, key, checkpoint });
    expect((await verified(exported((all) => all, first(null)))).found).toEqual([['checkpoint-missing', 'record']]);
    expect((await verified(exported((all) => all, first(notes[8] as string)))).found).toEqual([
      ['checkpoint-missing', 'record'],
    ]);
    expect((await verified(exported((all) => all, first(last.replace('1200', '1201'))))).found).toEqual([
      ['bad-signature', { checkpoint: 0 }],
    ]);
  });

  test('from which a leaf was taken, or to which one was added, is named by all checkpoints behind it', async () => {
    const given = exported();
    const at = given.indexOf(exportLeaf(leaves[605] as ExportedLeaf));
    const lacking = await verified(given.toSpliced(at, 1));
    expect(lacking.confirmed).toBe(600);
    expect(lacking.problemCount).toBe(1 + 60);
    const added = await verified(given.toSpliced(at, 0, given[at] as string));
    expect(added.confirmed).toBe(600);
    expect(added.found).toContainEqual(['root-mismatch', { checkpoint: 0 }]);
  });
});

describe('what is no export', () => {
  const line = JSON.parse(lines[2] as string) as Record<string, unknown>;
  const withLine = (members: Record<string, unknown>) => [lines[0] as string, JSON.stringify({ ...line, ...members })];

  test.each([
    ['nothing', []],
    ['no JSON', ['x']],
    ['a list', ['[]']],
    ['a header without a key', [JSON.stringify({ origin, checkpoint: null })]],
    ['a header without a checkpoint', [JSON.stringify({ origin, verifierKey: formatVerifierKey(key) })]],
    ['a header of two versions', [JSON.stringify({ ...JSON.parse(lines[0] as string), checkpoints: [note] })]],
    ['a header with a key that is none', [JSON.stringify({ origin, verifierKey: 'a+b+c', checkpoints: [] })]],
    ['checkpoints that are no texts', [JSON.stringify({ origin, verifierKey: 'x', checkpoints: [1] })]],
  ])('is refused at line 1: %s', async (_, given) => {
    await expect(readExport(given)).rejects.toThrow(/^line 1: /);
  });

  test.each([
    ['a checkpoint that is no text', { checkpoint: 1 }],
    ['an index below 0', { index: -1 }],
    ['an index that is a text', { index: '1' }],
    ['an offset that is a number', { offset: 1 }],
    ['a source that is missing', { source: undefined }],
    ['a digest in capitals', { sha256: 'A'.repeat(64) }],
    ['a short hash', { hash: '00' }],
    ['bytes that are not base64', { bytes: '?' }],
    ['bytes that are a number', { bytes: 1 }],
  ])('is refused at the line it stands on: %s', async (_, members) => {
    await expect(allOf(withLine(members))).rejects.toThrow(/^line 2: /);
  });
});
