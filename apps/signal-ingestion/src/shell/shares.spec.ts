import { expect, test } from 'vitest';
import { Shares } from './shares.js';

const share = { requests: 2, bytes: 100, events: 10 };

test('a source that has its share under way gets no more of it, and takes nothing from another one', () => {
  const shares = new Shares(share);
  const [first, second] = [shares.enter('website', 40), shares.enter('website', 40)];
  expect([first, second]).not.toContain(undefined);
  expect(shares.enter('website', 0)).toBeUndefined();
  expect(shares.enter('crm', 100)).toBeDefined();
  first?.leave();
  expect(shares.enter('website', 61)).toBeUndefined();
  expect(shares.enter('website', 60)).toBeDefined();
});

test('what is refused takes nothing, so that the rest of the share is there for a smaller one', () => {
  const shares = new Shares(share);
  const room = shares.enter('website', 10);
  expect(room?.more({ bytes: 91 })).toBe(false);
  expect(room?.more({ bytes: 90 })).toBe(true);
  room?.leave();
  expect(shares.enter('website', 100)).toBeDefined();
});

test('a source that has nothing under way may send one request of any size', () => {
  const shares = new Shares(share);
  const room = shares.enter('website', 1_000);
  expect(room?.more({ events: 500 })).toBe(true);
  expect(shares.enter('website', 1)).toBeUndefined();
  room?.leave();
  expect(shares.enter('website', 1)).toBeDefined();
});

test('a request is under way until it is answered and its publishing has ended, however that ends', async () => {
  const shares = new Shares({ ...share, requests: 1 });
  for (const end of ['resolve', 'reject'] as const) {
    const publishing = Promise.withResolvers<void>();
    const room = shares.enter('website', 1);
    room?.use(publishing.promise);
    room?.leave();
    expect(shares.enter('website', 1)).toBeUndefined();
    publishing[end]();
    await publishing.promise.catch(() => undefined);
    const next = shares.enter('website', 1);
    expect(next).toBeDefined();
    next?.leave();
  }
});

test('a request whose sender is gone takes nothing more, so nothing is left that nobody gives back', () => {
  const shares = new Shares(share);
  for (let n = 0; n < 20; n++) {
    const room = shares.enter('website', 1);
    room?.leave();
    expect(room?.more({ bytes: 100 })).toBe(false);
    expect(room?.more({ events: 10 })).toBe(false);
  }
  expect(shares.enter('website', 50)?.more({ bytes: 50, events: 10 })).toBe(true);
});
