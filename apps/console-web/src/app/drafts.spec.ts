import { expect, test } from 'vitest';
import { drafts } from './drafts.js';

/** As `sessionStorage` does it. */
function shelf(full = false) {
  const items = new Map<string, string>();
  return {
    items,
    get length() {
      return items.size;
    },
    key: (n: number) => [...items.keys()][n] ?? null,
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => {
      if (full) throw new DOMException('full', 'QuotaExceededError');
      items.set(key, value);
    },
    removeItem: (key: string) => void items.delete(key),
  };
}
/** One shelf, however often it is asked for. */
const inPlace = (full = false) => {
  const place = shelf(full);
  return () => place;
};
const card = { person: 'lea', id: 'a', digest: 'd1' };
const draft = { mode: 'edit', typed: { subject: 'Shorter' }, note: 'too long' } as const;

test('a draft is found by its author under the content that it answers, and by nobody else and under no other', () => {
  const { save, find } = drafts(inPlace());
  save(card, draft);
  expect(find(card, 'edit')).toEqual(draft);
  expect(find({ ...card, digest: 'd2' }, 'edit')).toBeUndefined();
  expect(find({ ...card, id: 'b' }, 'edit')).toBeUndefined();
  expect(find({ ...card, person: 'marc' }, 'edit')).toBeUndefined();
});

test('the note of an edit is in no rejection, and neither takes the place of the other', () => {
  const { save, find, forget } = drafts(inPlace());
  const rejection = { mode: 'reject', category: 'not-needed', note: '' } as const;
  save(card, draft);
  expect(find(card, 'reject')).toBeUndefined();
  save(card, rejection);
  expect([find(card, 'edit'), find(card, 'reject')]).toEqual([draft, rejection]);
  forget(card, 'reject');
  expect([find(card, 'edit'), find(card, 'reject')]).toEqual([draft, undefined]);
});

test('what is answered is forgotten whatever its content was when its author began', () => {
  const place = shelf();
  const { save, find, forget } = drafts(() => place);
  const others = [
    { ...card, id: 'b' },
    { ...card, person: 'marc' },
  ] as const;
  for (const begun of [card, { ...card, digest: 'd2' }, ...others]) save(begun, draft);
  save(card, { mode: 'reject', note: 'no' });
  place.setItem('draft:{', 'of another kind');
  forget({ person: card.person, id: card.id });
  expect(others.map((other) => find(other, 'edit'))).toEqual([draft, draft]);
  expect([...place.items.keys()]).toHaveLength(3);
});

test('one is forgotten with its answer, all are with a sign-out, and what is not a draft stays', () => {
  const place = shelf();
  const { save, find, forget, forgetAll } = drafts(() => place);
  save(card, draft);
  save({ ...card, id: 'b' }, draft);
  forget(card);
  expect([find(card, 'edit'), find({ ...card, id: 'b' }, 'edit')]).toEqual([undefined, draft]);
  place.setItem('colour', 'dark');
  forgetAll();
  expect([...place.items.keys()]).toEqual(['colour']);
});

test('a browser that keeps nothing, or something else, has no draft and breaks no page', () => {
  const { save, find } = drafts(inPlace(true));
  save(card, draft);
  expect(find(card, 'edit')).toBeUndefined();
  const place = shelf();
  drafts(() => place).save(card, draft);
  for (const text of ['', '{', '7', '{"mode":"x"}'])
    for (const key of [...place.items.keys()]) {
      place.setItem(key, text);
      expect(drafts(() => place).find(card, 'edit')).toBeUndefined();
    }
});

test('a browser that forbids storage has no draft, and an answer and a sign-out do not fail in it', () => {
  const { save, find, forget, forgetAll } = drafts(() => {
    throw new DOMException('forbidden', 'SecurityError');
  });
  save(card, draft);
  forget(card);
  forgetAll();
  expect(find(card, 'edit')).toBeUndefined();
});
