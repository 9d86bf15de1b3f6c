import { expect, test } from 'vitest';
import { renewal } from './renewal.js';

/** As the storages of a browser do it. */
function shelf(full = false) {
  const items = new Map<string, string>();
  return () => ({
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => {
      if (full) throw new DOMException('full', 'QuotaExceededError');
      items.set(key, value);
    },
    removeItem: (key: string) => void items.delete(key),
  });
}
const provider = '/v1/sign-in/oidc';
function twoWindows() {
  const browser = shelf();
  return [renewal(browser, shelf()), renewal(browser, shelf())] as const;
}

test('a sign-out in one window is not taken back by another', () => {
  const [a, b] = twoWindows();
  for (const open of [a, b]) open.asking()(provider);
  a.end();
  expect([a.take(), b.take()]).toEqual([null, null]);
});

test('nor by an answer about the session that comes after it', () => {
  const [a, b] = twoWindows();
  for (const open of [a, b]) open.asking()(provider);
  const store = b.asking();
  a.end();
  store(provider);
  expect(b.take()).toBeNull();
});

test('a session that is over begins again by itself in each window, once until there is one again', () => {
  const [a, b] = twoWindows();
  a.asking()(provider);
  expect([a.take(), b.take(), a.take(), b.take()]).toEqual([provider, provider, null, null]);
  a.asking()(provider);
  expect([a.take(), b.take()]).toEqual([provider, null]);
});

test('a session that began with a link does not begin again by itself', () => {
  const [a, b] = twoWindows();
  a.asking()(provider);
  b.asking()(null);
  expect([a.take(), b.take()]).toEqual([null, null]);
});

test('it counts for some hours after the session was last seen, and not by a clock that was wrong', () => {
  const browser = shelf();
  const at = (hour: number) => renewal(browser, shelf(), () => Date.UTC(2026, 10, 21, hour));
  at(10).asking()(provider);
  expect([at(9).take(), at(12).take(), at(22).take(), at(23).take()]).toEqual([null, provider, provider, null]);
  at(20).asking()(provider);
  expect(at(23).take()).toBe(provider);
});

test('one without a time does not count', () => {
  const browser = shelf();
  browser().setItem('countersign-renewal', provider);
  expect(renewal(browser, shelf()).take()).toBeNull();
});

test('a browser that keeps nothing, or forbids it, is never sent to and fro', () => {
  const forbidden = () => {
    throw new DOMException('no', 'SecurityError');
  };
  const browser = shelf();
  renewal(browser, shelf()).asking()(provider);
  for (const own of [shelf(true), forbidden]) expect(renewal(browser, own).take()).toBeNull();
  const none = renewal(forbidden, forbidden);
  none.asking()(provider);
  none.end();
  expect(none.take()).toBeNull();
});
