import { beforeAll, expect, test } from 'vitest';
import { digestOf, leafHashOf, readEvent, type StoredEvent, traceIdIn } from './event.js';
import { type Ask, checkCheckpoint, checkEvent } from './record.js';

/** The library that the recorder signs and proves with: what it makes must verify here, and nothing else. */
interface RecordLibrary {
  signingKey(name: string, privateKey: unknown): { hash: string };
  formatVerifierKey(key: unknown): string;
  signCheckpoint(checkpoint: { origin: string; size: number; root: Uint8Array }, keys: unknown[]): string;
  eventBytes(event: { key: Uint8Array | null; headers: object; value: Uint8Array | null }): Uint8Array;
  leafHash(leaf: object): Uint8Array;
  sha256(...parts: Uint8Array[]): Uint8Array;
  append(frontier: unknown, hashes: Uint8Array[]): { frontier: unknown };
  emptyFrontier: unknown;
  rootOf(frontier: unknown): Uint8Array;
  readerOfLeaves(read: (from: number, to: number) => Uint8Array[]): unknown;
  proveInclusion(index: number, size: number, read: unknown): Promise<Uint8Array[]>;
  proveConsistency(from: number, to: number, read: unknown): Promise<Uint8Array[]>;
}
interface NodeCrypto {
  generateKeyPairSync(kind: 'ed25519'): { privateKey: unknown };
}

const origin = 'countersign.example/record';
const url = 'https://record.example';
let record: RecordLibrary;
let key: unknown;
let verifier: string;
let otherVerifier: string;
let events: { event: StoredEvent; bytes: Uint8Array; hash: Uint8Array }[];

const text = (words: string) => new TextEncoder().encode(words);
const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));

beforeAll(async () => {
  // Neither is a dependency of the pages: the browser has its own.
  record = (await import('@countersign/record' as string)) as RecordLibrary;
  const { generateKeyPairSync } = (await import('node:crypto' as string)) as NodeCrypto;
  key = record.signingKey(origin, generateKeyPairSync('ed25519').privateKey);
  verifier = record.formatVerifierKey(key);
  otherVerifier = record.formatVerifierKey(record.signingKey(origin, generateKeyPairSync('ed25519').privateKey));
  events = Array.from({ length: 37 }, (_, n) => {
    const id = `event-${n} "ü"`;
    const bytes = record.eventBytes({
      key: n % 3 === 0 ? null : text(`key ${n}`),
      headers: { ce_id: id, ce_source: '/countersign/given', odd: [text('\u0000'), 'twice'], none: null },
      value: text(JSON.stringify({ n, money: 'EUR 20.00' })),
    });
    const place = {
      topic: 'actions.refused.v1',
      partition: n % 2,
      offset: String(n),
      source: '/countersign/given',
      id,
    };
    const leaf = { ...place, sha256: record.sha256(bytes), ...(n === 9 && { topicId: 'again' }) };
    return { event: { ...place, bytes: base64(bytes) }, bytes, hash: record.leafHash(leaf) };
  });
});

const rootAt = (size: number) =>
  record.rootOf(
    record.append(
      record.emptyFrontier,
      events.slice(0, size).map(({ hash }) => hash),
    ).frontier,
  );
const noteAt = (size: number, root = rootAt(size), signer = key, name = origin) =>
  record.signCheckpoint({ origin: name, size, root }, [signer]);
const read = () => record.readerOfLeaves((from, to) => events.slice(from, to).map(({ hash }) => hash));
const answer = async (index: number, size = events.length, more: object = {}) => ({
  index,
  topicId: index === 9 ? 'again' : null,
  checkpoint: noteAt(size),
  proof: (await record.proveInclusion(index, size, read())).map(base64),
  ...more,
});
const answering =
  (body: unknown, status = 200): Ask =>
  async () => ({ status, body });
const place = () => ({ url, key: verifier });
const eventAt = (index: number) => (events[index] as (typeof events)[0]).event;

test('every event of a record is proved, whatever its place, and as the recorder computes its leaf', async () => {
  for (const [index, { event, hash }] of events.entries()) {
    const digest = (await digestOf(event)) ?? '';
    expect(await leafHashOf(event, digest, index === 9 ? 'again' : null)).toEqual(hash);
    for (const size of [index + 1, events.length])
      expect(await checkEvent(event, place(), 0, answering(await answer(index, size)))).toEqual({
        state: 'proved',
        index,
        size,
      });
  }
});

test('the record is asked for what the bytes here come to, not for what the console says of them', async () => {
  const asked: string[] = [];
  const ask: Ask = async (address) => {
    asked.push(address);
    return { status: 404, body: {} };
  };
  expect(await checkEvent(eventAt(5), place(), 0, ask)).toEqual({ state: 'not-on-record' });
  const query = new URL(asked[0] ?? '').searchParams;
  expect(Object.fromEntries(query)).toEqual({
    topic: 'actions.refused.v1',
    partition: '1',
    offset: '5',
    sha256: await digestOf(eventAt(5)),
  });
});

test('an event of which one byte is another is never proved, with any proof of the record', async () => {
  const { event, bytes } = events[5] as (typeof events)[0];
  for (const at of [0, 20, bytes.length - 1]) {
    const flipped = Uint8Array.from(bytes, (byte, n) => (n === at ? byte ^ 1 : byte));
    const checked = await checkEvent({ ...event, bytes: base64(flipped) }, place(), 0, answering(await answer(5)));
    expect(checked.state).toBe('wrong');
  }
  for (const change of [{ offset: '6' }, { partition: 0 }, { topic: 'x' }, { id: 'other' }, { source: 'other' }])
    expect((await checkEvent({ ...event, ...change }, place(), 0, answering(await answer(5)))).state).toBe('wrong');
});

test('a flipped hash, a missing one, another index or another tree is no proof', async () => {
  const right = await answer(5);
  const wrongs = [
    ...right.proof.map((hash, at) => ({
      proof: right.proof.map((other, n) => (n === at ? `${hash.startsWith('A') ? 'B' : 'A'}${other.slice(1)}` : other)),
    })),
    { proof: right.proof.slice(1) },
    { proof: [...right.proof, right.proof[0]] },
    { index: 4 },
    { index: 36.5 },
    { topicId: 'another' },
    { topicId: 7 },
    { proof: 'none' },
    { proof: ['not base64'] },
    { checkpoint: noteAt(36) },
    { checkpoint: 'no note' },
    { checkpoint: 7 },
    null,
  ];
  for (const change of wrongs) {
    const checked = await checkEvent(
      eventAt(5),
      place(),
      0,
      answering(change === null ? 'x' : { ...right, ...change }),
    );
    expect({ change, state: checked.state }).toEqual({ change, state: 'wrong' });
  }
});

test('a head that another key signed, or whose text was changed afterwards, proves nothing', async () => {
  const right = await answer(5);
  expect((await checkEvent(eventAt(5), { url, key: otherVerifier }, 0, answering(right))).state).toBe('wrong');
  const changed = right.checkpoint.replace('\n37\n', '\n38\n');
  expect(changed).not.toBe(right.checkpoint);
  for (const checkpoint of [changed, right.checkpoint.replace('— ', '- '), right.checkpoint.slice(0, -1)])
    expect((await checkEvent(eventAt(5), place(), 0, answering({ ...right, checkpoint }))).state).toBe('wrong');
});

test('an old head proves what it covers; not what came later, and nothing where more was signed already', async () => {
  expect((await checkEvent(eventAt(5), place(), 6, answering(await answer(5, 6)))).state).toBe('proved');
  const early = { ...(await answer(20)), checkpoint: noteAt(12) };
  expect((await checkEvent(eventAt(20), place(), 0, answering(early))).state).toBe('wrong');
  const stale = await checkEvent(eventAt(5), place(), 30, answering(await answer(5, 20)));
  expect(stale).toEqual({ state: 'wrong', detail: 'the record answers with 20 entries, and 30 were signed before' });
});

test('what is not signed yet, not on record or not reachable is said as that', async () => {
  const unreachable: Ask = () => Promise.reject(new TypeError('failed to fetch'));
  const states = await Promise.all(
    [answering({}, 409), answering({}, 404), unreachable, answering({ detail: 'wait' }, 429), answering({}, 500)].map(
      async (ask) => (await checkEvent(eventAt(5), place(), 0, ask)).state,
    ),
  );
  expect(states).toEqual(['not-signed-yet', 'not-on-record', 'unreachable', 'unreachable', 'wrong']);
});

test('a key that is none is said to be the trouble, before anybody is asked', async () => {
  const nobody: Ask = () => Promise.reject(new Error('asked'));
  for (const wrong of ['', 'name', `${verifier}A`, verifier.replace(/\+[0-9a-f]{8}\+/, '+00000000+')])
    expect((await checkEvent(eventAt(5), { url, key: wrong }, 0, nobody)).state).toBe('cannot-check');
});

test('every earlier checkpoint is shown to be a beginning of the latest; a changed record is not', async () => {
  const latest = events.length;
  for (let size = 1; size <= latest; size++) {
    const proof = (await record.proveConsistency(size, latest, read())).map(base64);
    const body = { checkpoint: noteAt(latest), proof };
    expect(await checkCheckpoint(noteAt(size), place(), answering(body))).toEqual({ state: 'consistent', to: latest });
    const forged = noteAt(size, record.sha256(text('another history')));
    expect((await checkCheckpoint(forged, place(), answering(body))).state).toBe('wrong');
  }
  const shrunk = { checkpoint: noteAt(10), proof: [] };
  expect((await checkCheckpoint(noteAt(11), place(), answering(shrunk))).state).toBe('wrong');
  expect((await checkCheckpoint(noteAt(11), place(), answering({}, 409))).state).toBe('wrong');
});

test('what an event holds is read from its bytes; other bytes are not read at all', () => {
  const { event, bytes } = events[1] as (typeof events)[0];
  expect(readEvent(event.bytes)).toEqual({
    key: 'key 1',
    headers: [
      ['ce_id', 'event-1 "ü"'],
      ['ce_source', '/countersign/given'],
      ['none', null],
      ['odd', '\u0000'],
      ['odd', 'twice'],
    ],
    value: { n: 1, money: 'EUR 20.00' },
  });
  expect(readEvent(base64(bytes.slice(0, -1)))).toBeUndefined();
  expect(readEvent(base64(Uint8Array.of(...bytes, 0)))).toBeUndefined();
  expect(readEvent('?')).toBeUndefined();
});

const traceId = 'ab'.repeat(16);
test.each([
  [`00-${traceId}-${'cd'.repeat(8)}-01`, traceId],
  [`00-${'0'.repeat(32)}-${'cd'.repeat(8)}-01`, undefined],
  ['no trace', undefined],
  [null, undefined],
])('of the trace context %j the trace is %j', (parent, found) => {
  const other: [string, string] = ['ce_id', `00-${'ef'.repeat(16)}-`];
  expect(traceIdIn({ headers: [other, ['traceparent', parent]] })).toBe(found);
  expect(traceIdIn({ headers: [other] })).toBeUndefined();
});
