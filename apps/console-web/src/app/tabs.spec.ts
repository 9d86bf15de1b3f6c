import { expect, test } from 'vitest';
import { unheard } from './tabs.js';

function browser(keeps: boolean) {
  const kept = new Map<string, string>();
  const shelf = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void (keeps && kept.set(key, value)),
    removeItem: (key: string) => void kept.delete(key),
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
