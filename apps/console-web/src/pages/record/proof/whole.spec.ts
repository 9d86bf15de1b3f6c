import { beforeAll, expect, test } from 'vitest';
import { lineCutter, NotAnExport } from './export-lines.js';
import { readVerifierKey } from './note.js';
import { WholeCheck } from './whole.js';

/** The library that the command line verifies with: what it finds must be found here too. */
interface RecordLibrary {
  signingKey(name: string, privateKey: unknown): { hash: string };
  formatVerifierKey(key: unknown): string;
  parseVerifierKey(text: string): unknown;
  signCheckpoint(checkpoint: { origin: string; size: number; root: Uint8Array }, keys: unknown[]): string;
  eventBytes(event: { key: Uint8Array | null; headers: object; value: Uint8Array | null }): Uint8Array;
  leafHash(leaf: object): Uint8Array;
  sha256(...parts: Uint8Array[]): Uint8Array;
  append(frontier: unknown, hashes: Uint8Array[]): { frontier: unknown };
  emptyFrontier: unknown;
  rootOf(frontier: unknown): Uint8Array;
  exportHeader(header: object): string;
  exportCheckpoint(note: string): string;
  exportLeaf(leaf: object): string;
  readExport(lines: Iterable<string>): Promise<{ checkpoints: readonly string[] }>;
  verifyRecord(record: object): Promise<{
    size: number;
    confirmed: number;
    checkpointsChecked: number;
    eventsChecked: number;
    commitmentsChecked: number;
    problemCount: number;
    problems: readonly { kind: string; at: string | { leaf?: number } }[];
  }>;
}
interface NodeCrypto {
  generateKeyPairSync(kind: 'ed25519'): { privateKey: unknown };
}

const origin = 'countersign.example/record';
let record: RecordLibrary;
let key: { hash: string };
let stranger: { hash: string };
let verifier: string;
/** The lines of a good export: a checkpoint after every seventh entry, and two entries that are not signed yet. */
let good: readonly string[];
let hashes: Uint8Array[];
const size = 37;

beforeAll(async () => {
  record = (await import('@countersign/record' as string)) as RecordLibrary;
  const { generateKeyPairSync } = (await import('node:crypto' as string)) as NodeCrypto;
  key = record.signingKey(origin, generateKeyPairSync('ed25519').privateKey);
  stranger = record.signingKey(origin, generateKeyPairSync('ed25519').privateKey);
  verifier = record.formatVerifierKey(key);
  hashes = [];
  const leaves = Array.from({ length: size }, (_, index) => {
    const isCached = index % 5 !== 3;
    const value = new TextEncoder().encode(JSON.stringify({ index, words: 'ü "§"' }));
    const bytes = isCached
      ? record.eventBytes({ key: null, headers: { ce_id: `${index}` }, value })
      : record.sha256(value);
    const leaf = {
      topic: 'actions.refused.v1',
      partition: index % 2,
      offset: String(index * 3),
      ...(index >= 30 && { topicId: 'again' }),
      source: index === 4 ? null : '/countersign/given',
      id: index === 4 ? null : `event-${index} "ü"`,
      sha256: record.sha256(bytes),
    };
    const hash = record.leafHash(leaf);
    hashes.push(hash);
    return record.exportLeaf({ index, leaf, hash, kept: isCached ? 'event' : 'commitment', bytes, at: '2026-11-21' });
  });
  const lines: string[] = [];
  for (const [index, leaf] of leaves.entries()) {
    lines.push(leaf);
    if ((index + 1) % 7 === 0) lines.push(record.exportCheckpoint(noteAt(index + 1)));
  }
  good = [record.exportHeader({ origin, key, checkpoint: noteAt(35) }), ...lines];
});

const noteAt = (at: number, signer = key, name = origin) =>
  record.signCheckpoint(
    { origin: name, size: at, root: record.rootOf(record.append(record.emptyFrontier, hashes.slice(0, at)).frontier) },
    [signer],
  );

async function here(lines: readonly string[], seenNotes: readonly string[] = [], atOnce = 10) {
  const own = await readVerifierKey(verifier);
  if (!own) throw new Error('the key is a good one');
  const check = new WholeCheck(own, seenNotes);
  for (let at = 0; at < lines.length; at += atOnce) await check.take(lines.slice(at, at + atOnce));
  return check.end();
}
async function byLibrary(lines: readonly string[], seenNotes: readonly string[] = []) {
  const opened = await record.readExport(lines);
  const keys = [record.parseVerifierKey(verifier)];
  return record.verifyRecord({ ...opened, checkpoints: [...opened.checkpoints, ...seenNotes], keys });
}
const refusals = ['malformed', 'bad-signature', 'unknown-key', 'wrong-origin'];

/** What each of the two found, in a form that can be compared. */
async function both(lines: readonly string[], seenNotes: readonly string[] = []) {
  const own = await here(lines, seenNotes);
  const library = await byLibrary(lines, seenNotes);
  const named = (kind: string, leaf: number | undefined) => `${kind} ${leaf ?? ''}`;
  const figures = ({
    size,
    confirmed,
    checkpointsChecked,
    eventsChecked,
    commitmentsChecked,
    problemCount,
  }: typeof own | typeof library) => ({
    ...{ size, confirmed, checkpointsChecked, eventsChecked, commitmentsChecked, problemCount },
  });
  return {
    own: { ...figures(own), problems: own.problems.map(({ kind, leaf }) => named(kind, leaf)).sort() },
    library: {
      ...figures(library),
      problems: library.problems
        .map(({ kind, at }) =>
          named(refusals.includes(kind) ? 'bad-checkpoint' : kind, typeof at === 'string' ? undefined : at.leaf),
        )
        .sort(),
    },
  };
}

test('a good record is whole: every entry, event and checkpoint was looked at, however the lines come', async () => {
  for (const atOnce of [1, 7, 1_000])
    expect(await here(good, [noteAt(9)], atOnce)).toEqual({
      ok: true,
      size,
      confirmed: 35,
      checkpointsChecked: 6,
      eventsChecked: size,
      commitmentsChecked: 7,
      problemCount: 0,
      problems: [],
    });
  const { own, library } = await both(good, [noteAt(9)]);
  expect(own).toEqual(library);
});

type Edit = (lines: string[]) => unknown;
const leafAt = (lines: readonly string[], index: number): number =>
  lines.findIndex((line) => line.startsWith(`{"index":${index},`));
const edited = (lines: string[], index: number, change: (leaf: Record<string, unknown>) => void): void => {
  const place = leafAt(lines, index);
  const leaf = JSON.parse(lines[place] as string);
  change(leaf);
  lines[place] = JSON.stringify(leaf);
};
/** The first byte of what is kept of an event, changed. */
const otherBytes = (leaf: Record<string, unknown>): void => {
  leaf.bytes = `${String(leaf.bytes).startsWith('A') ? 'B' : 'A'}${String(leaf.bytes).slice(1)}`;
};

const otherId = (leaf: Record<string, unknown>): void => {
  leaf.id = 'x';
};

test.each<[string, Edit, string]>([
  ['a byte of an event was changed', (lines) => edited(lines, 12, otherBytes), 'event-altered 12'],
  [
    'the bytes of an event were erased',
    (lines) =>
      edited(lines, 12, (leaf) => {
        delete leaf.bytes;
      }),
    'event-missing 12',
  ],
  [
    'a commitment was erased',
    (lines) =>
      edited(lines, 13, (leaf) => {
        delete leaf.bytes;
      }),
    'event-missing 13',
  ],
  [
    'an erased entry says that it never had an event',
    (lines) =>
      edited(lines, 12, (leaf) => {
        delete leaf.bytes;
        leaf.kept = 'nothing';
      }),
    'event-missing 12',
  ],
  ['an entry names another event', (lines) => edited(lines, 12, otherId), 'leaf-altered 12'],
  [
    'an entry was forged with its hash',
    (lines) =>
      edited(lines, 12, (leaf) => {
        otherId(leaf);
        delete leaf.hash;
      }),
    'root-mismatch ',
  ],
  ['an entry was taken out', (lines) => lines.splice(leafAt(lines, 12), 1), 'gap 13'],
  ['an entry stands twice', (lines) => lines.splice(13, 0, lines[leafAt(lines, 10)] as string), 'repeat 10'],
  [
    'an offset goes back',
    (lines) =>
      edited(lines, 12, (leaf) => {
        leaf.offset = '0';
        delete leaf.hash;
      }),
    'repeat 12',
  ],
  ['the end is missing', (lines) => lines.splice(20), 'size-mismatch '],
  [
    'only the last checkpoint is missing',
    (lines) =>
      lines.splice(
        lines.findLastIndex((line) => line.startsWith('{"checkpoint"')),
        1,
      ),
    'checkpoint-missing ',
  ],
  [
    'a checkpoint is of a stranger',
    (lines) => lines.splice(3, 0, record.exportCheckpoint(noteAt(2, stranger))),
    'bad-checkpoint ',
  ],
  [
    'two checkpoints are exchanged',
    (lines) => {
      const [a = 0, b = 0] = lines.flatMap((line, n) => (line.startsWith('{"checkpoint"') ? [n] : []));
      [lines[a], lines[b]] = [lines[b] as string, lines[a] as string];
    },
    'out-of-order ',
  ],
  [
    'nothing was ever signed',
    (lines) => {
      lines[0] = record.exportHeader({ origin, key, checkpoint: null });
      for (let n = lines.length - 1; n > 0; n -= 1) if (lines[n]?.startsWith('{"checkpoint"')) lines.splice(n, 1);
    },
    'no-checkpoint ',
  ],
])('where %s, it is found, as the command line finds it', async (_, edit, problem) => {
  const lines = [...good];
  edit(lines);
  const { own, library } = await both(lines);
  expect(own).toEqual(library);
  expect(own.problems).toContain(problem);
});

test('a checkpoint that somebody kept shows a record that was rebuilt, with its own signatures', async () => {
  const noteBefore = noteAt(20);
  const rebuilt = hashes.splice(12, 1);
  const notes = [7, 14, 21, 28, 35].map((at) => noteAt(at));
  hashes.splice(12, 0, ...rebuilt);
  const lines = good.filter((line) => !line.startsWith('{"checkpoint"')).slice(1);
  lines.splice(12, 1);
  const renumbered = lines.map((line, index) => JSON.stringify({ ...JSON.parse(line), index }));
  const whole = [
    record.exportHeader({ origin, key, checkpoint: notes.at(-1) as string }),
    ...renumbered.flatMap((line, index) => {
      const note = (index + 1) % 7 === 0 ? notes[(index + 1) / 7 - 1] : undefined;
      return note === undefined ? [line] : [line, record.exportCheckpoint(note)];
    }),
  ];
  expect((await here(whole)).ok).toBe(true);
  const found = await both(whole, [noteBefore]);
  expect(found.own).toEqual(found.library);
  expect(found.own.problems).toEqual(['root-mismatch ']);
  // The checkpoints since it was rebuilt fit, so only an older one shows it.
  expect((await here(whole, notes.slice(-2))).ok).toBe(true);
  const spreadOut = await both(whole, [...notes.slice(-2), noteBefore]);
  expect(spreadOut.own).toEqual(spreadOut.library);
  expect(spreadOut.own.problems).toEqual(['root-mismatch ']);
});

test.each([
  ['nothing', []],
  ['no header', ['{"index":0}']],
  ['HTML', ['<html>']],
])('%s is no export', async (_, lines) => {
  await expect(here(lines)).rejects.toBeInstanceOf(NotAnExport);
});
test.each([
  ['a line that is no JSON', '{'],
  ['an entry without a place', '{"index":0}'],
  ['bytes that are no base64', (line: string) => line.replace(/"bytes":"./, '"bytes":" ')],
  ['a hash of another length', (line: string) => line.replace(/"hash":"./, '"hash":"')],
])('%s ends the check, and the line is named, without its content', async (_, broken) => {
  const lines = [...good];
  lines[4] = typeof broken === 'string' ? broken : broken(lines[4] as string);
  await expect(here(lines)).rejects.toThrow(/^line 5: [a-zA-Z -]+/);
  await expect(byLibrary(lines)).rejects.toThrow('line 5: ');
});

test('lines are whole however the bytes are cut, also within a character', () => {
  const text = 'eins ü\nzwei 😀\n\ndrei';
  const bytes = new TextEncoder().encode(text);
  for (const step of [1, 2, 3, 5, 100]) {
    const cutter = lineCutter();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += step) lines.push(...cutter.cut(bytes.subarray(at, at + step)));
    lines.push(...cutter.end());
    expect(lines).toEqual(text.split('\n'));
  }
  expect(() => lineCutter().cut(Uint8Array.of(0xff))).toThrow('line 1: not UTF-8');
});
