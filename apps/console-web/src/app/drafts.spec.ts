import { expect, test } from 'vitest';
import { drafts } from './drafts.js';

/** As `sessionStorage` does it. */
function shelf(full = false) {
  const kept = new Map<string, string>();
  return {
    kept,
    get length() {
      return kept.size;
    },
    key: (n: number) => [...kept.keys()][n] ?? null,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => {
      if (full) throw new DOMException('full', 'QuotaExceededError');
      kept.set(key, value);
    },
    removeItem: (key: string) => void kept.delete(key),
  };
}
const card = { person: 'lea', id: 'a', digest: 'd1' };
const draft = { mode: 'edit', typed: { subject: 'Shorter' }, note: 'too long' } as const;

test('a draft is found by its author under the content that it answers, and by nobody else and under no other', () => {
  const { keep, find } = drafts(shelf());
  keep(card, draft);
  expect(find(card)).toEqual(draft);
  expect(find({ ...card, digest: 'd2' })).toBeUndefined();
  expect(find({ ...card, id: 'b' })).toBeUndefined();
  expect(find({ ...card, person: 'marc' })).toBeUndefined();
});

test('one is forgotten with its answer, all are with a sign-out, and what is not a draft stays', () => {
  const place = shelf();
  const { keep, find, forget, forgetAll } = drafts(place);
  keep(card, draft);
  keep({ ...card, id: 'b' }, draft);
  forget(card);
  expect([find(card), find({ ...card, id: 'b' })]).toEqual([undefined, draft]);
  place.setItem('colour', 'dark');
  forgetAll();
  expect([...place.kept.keys()]).toEqual(['colour']);
});

test('a browser that keeps nothing, or something else, has no draft and breaks no page', () => {
  const { keep, find } = drafts(shelf(true));
  keep(card, draft);
  expect(find(card)).toBeUndefined();
  const place = shelf();
  drafts(place).keep(card, draft);
  for (const text of ['', '{', '7', '{"mode":"x"}'])
    for (const key of [...place.kept.keys()]) {
      place.setItem(key, text);
      expect(drafts(place).find(card)).toBeUndefined();
    }
});
