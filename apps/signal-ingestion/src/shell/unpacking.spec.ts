import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type Unpacker, Unpacking } from './unpacking.js';

const isGone = () => false;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Unpacks nothing until it is told to, and counts. */
function held() {
  const begun: { end: (bytes: Buffer) => void; fail: (error: Error) => void }[] = [];
  let atOnce = 0;
  let most = 0;
  const gzip: Unpacker = async () => {
    atOnce++;
    most = Math.max(most, atOnce);
    const { promise, resolve: end, reject: fail } = Promise.withResolvers<Buffer>();
    begun.push({ end, fail });
    return promise.finally(() => atOnce--);
  };
  return { begun, most: () => most, unpacking: new Unpacking(100, new Map([['gzip', gzip]])) };
}

test('four bodies of a source are unpacked at once, and the others wait for their turn; another source has its own', async () => {
  const { begun, most, unpacking } = held();
  const packed = Buffer.from('packed');
  const all = Array.from({ length: 400 }, () => unpacking.unpack('website', 'gzip', packed, isGone));
  await turn();
  expect(begun).toHaveLength(4);
  const another = unpacking.unpack('crm', 'gzip', packed, isGone);
  await turn();
  expect(begun).toHaveLength(5);
  begun[4]?.end(Buffer.from('of another'));
  expect(await another).toEqual(Buffer.from('of another'));
  for (let n = 0; n < 401; n++) {
    if (n % 2 === 0) begun[n]?.end(Buffer.from('bytes'));
    else begun[n]?.fail(new Error('is not gzip'));
    await turn();
  }
  const found = await Promise.all(all);
  expect(found).toHaveLength(400);
  expect(most()).toBe(5);
});

test('what waits for its turn is left where its sender is gone', async () => {
  const { begun, unpacking } = held();
  const packed = Buffer.from('packed');
  let gone = false;
  const first = Array.from({ length: 4 }, () => unpacking.unpack('crm', 'gzip', packed, isGone));
  const left = Array.from({ length: 50 }, () => unpacking.unpack('crm', 'gzip', packed, () => gone));
  const last = unpacking.unpack('crm', 'gzip', packed, isGone);
  await turn();
  gone = true;
  for (let n = 0; n < 5; n++) {
    begun[n]?.end(Buffer.from('bytes'));
    await turn();
  }
  expect(begun).toHaveLength(5);
  expect(await Promise.all([...first, last])).toEqual(Array(5).fill(Buffer.from('bytes')));
  for (const refused of await Promise.all(left)) expect(refused).toMatchObject({ status: 400 });
});

test('a body is unpacked to a bound; what is larger, or is not what it says, is refused', async () => {
  const unpacking = new Unpacking(100);
  expect(await unpacking.unpack('crm', 'gzip', gzipSync('x'.repeat(100)), isGone)).toEqual(Buffer.alloc(100, 'x'));
  expect(await unpacking.unpack('crm', 'gzip', gzipSync('x'.repeat(101)), isGone)).toMatchObject({ status: 413 });
  expect(await unpacking.unpack('crm', 'gzip', Buffer.from('plain'), isGone)).toMatchObject({ status: 400 });
  expect(await unpacking.unpack('crm', 'zip', Buffer.from('plain'), isGone)).toMatchObject({ status: 415 });
  expect(await unpacking.unpack('crm', 'gzip, br', Buffer.from('plain'), isGone)).toMatchObject({ status: 415 });
  expect(await unpacking.unpack('crm', 'identity', Buffer.from('plain'), isGone)).toEqual(Buffer.from('plain'));
});
