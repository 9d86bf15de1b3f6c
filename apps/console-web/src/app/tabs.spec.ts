import { expect, test } from 'vitest';
import { unheard } from './tabs.js';

function browser(stores: boolean) {
  const items = new Map<string, string>();
  const shelf = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void (stores && items.set(key, value)),
    removeItem: (key: string) => void items.delete(key),
  };
  return () => shelf;
}

test('of all tabs one finds out that a session began, each time', () => {
  const shared = browser(true);
  const [a, b, c] = [unheard(shared), unheard(shared), unheard(shared)];
  expect([a('10:00'), b('10:00'), a('10:00'), c('10:00')]).toEqual([true, false, false, false]);
  expect([b('11:00'), a('11:00'), c('11:00'), b('11:00')]).toEqual([true, false, false, false]);
});

test('in a browser that keeps nothing every page finds out once, so that they do not go on telling each other', () => {
  const shared = browser(false);
  const [a, b] = [unheard(shared), unheard(shared)];
  expect([a('10:00'), b('10:00'), a('10:00'), b('10:00')]).toEqual([true, true, false, false]);
});
