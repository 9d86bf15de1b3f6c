import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { signCheckpoint } from './checkpoint.js';
import { type ExportedLeaf, exportHeader, exportLeaf, readExport } from './export.js';
import { eventBytes, leafHash } from './leaf.js';
import { append, emptyFrontier, rootOf, sha256 } from './merkle.js';
import { signingKey } from './note.js';
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
const { frontier } = append(
  emptyFrontier,
  leaves.map(({ leaf }) => leafHash(leaf)),
);
const note = signCheckpoint({ origin, size: frontier.size, root: rootOf(frontier) }, [key]);
const lines = [exportHeader({ origin, key, checkpoints: [note] }), ...leaves.map(exportLeaf)];

const allOf = async (given: Iterable<string> | AsyncIterable<string>) => {
  const opened = await readExport(given);
  const found: ExportedLeaf[] = [];
  for await (const batch of opened.leaves) found.push(...batch);
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
      n === 8 ? exportLeaf({ ...(leaves[7] as ExportedLeaf), bytes: Uint8Array.of(1) }) : line,
    );
    expect((await verifyRecord(await readExport(changed))).problems).toMatchObject([
      { kind: 'event-altered', at: { leaf: 7 } },
    ]);
  });

  test('that was cut after a line does not verify', async () => {
    expect((await verifyRecord(await readExport(lines.slice(0, 900)))).problems).toMatchObject([
      { kind: 'size-mismatch' },
    ]);
  });

  test('keeps leaves without bytes, as an erased event leaves them', async () => {
    const erased = { ...(leaves[1] as ExportedLeaf), bytes: null };
    expect(await allOf([lines[0] as string, exportLeaf(erased)])).toEqual([erased]);
  });
});

describe('what is no export', () => {
  const line = JSON.parse(lines[2] as string) as Record<string, unknown>;
  const withLine = (members: Record<string, unknown>) => [lines[0] as string, JSON.stringify({ ...line, ...members })];

  test.each([
    ['nothing', []],
    ['no JSON', ['x']],
    ['a list', ['[]']],
    ['a header without a key', [JSON.stringify({ origin, checkpoints: [] })]],
    ['a header with a key that is none', [JSON.stringify({ origin, verifierKey: 'a+b+c', checkpoints: [] })]],
    ['checkpoints that are no texts', [JSON.stringify({ origin, verifierKey: 'x', checkpoints: [1] })]],
  ])('is refused at line 1: %s', async (_, given) => {
    await expect(readExport(given)).rejects.toThrow(/^line 1: /);
  });

  test.each([
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
