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
/** One shelf, however often it is asked for. */
const inPlace = (full = false) => {
  const place = shelf(full);
  return () => place;
};
const card = { person: 'lea', id: 'a', digest: 'd1' };
const draft = { mode: 'edit', typed: { subject: 'Shorter' }, note: 'too long' } as const;

test('a draft is found by its author under the content that it answers, and by nobody else and under no other', () => {
  const { keep, find } = drafts(inPlace());
  keep(card, draft);
  expect(find(card, 'edit')).toEqual(draft);
  expect(find({ ...card, digest: 'd2' }, 'edit')).toBeUndefined();
  expect(find({ ...card, id: 'b' }, 'edit')).toBeUndefined();
  expect(find({ ...card, person: 'marc' }, 'edit')).toBeUndefined();
});

test('the note of an edit is in no rejection, and neither takes the place of the other', () => {
  const { keep, find, forget } = drafts(inPlace());
  const rejection = { mode: 'reject', category: 'not-needed', note: '' } as const;
  keep(card, draft);
  expect(find(card, 'reject')).toBeUndefined();
  keep(card, rejection);
  expect([find(card, 'edit'), find(card, 'reject')]).toEqual([draft, rejection]);
  forget(card, 'reject');
  expect([find(card, 'edit'), find(card, 'reject')]).toEqual([draft, undefined]);
});

test('what is answered is forgotten whatever its content was when its author began', () => {
  const place = shelf();
  const { keep, find, forget } = drafts(() => place);
  const others = [
    { ...card, id: 'b' },
    { ...card, person: 'marc' },
  ] as const;
  for (const begun of [card, { ...card, digest: 'd2' }, ...others]) keep(begun, draft);
  keep(card, { mode: 'reject', note: 'no' });
  place.setItem('draft:{', 'of another kind');
  forget({ person: card.person, id: card.id });
  expect(others.map((other) => find(other, 'edit'))).toEqual([draft, draft]);
  expect([...place.kept.keys()]).toHaveLength(3);
});

test('one is forgotten with its answer, all are with a sign-out, and what is not a draft stays', () => {
  const place = shelf();
  const { keep, find, forget, forgetAll } = drafts(() => place);
  keep(card, draft);
  keep({ ...card, id: 'b' }, draft);
  forget(card);
  expect([find(card, 'edit'), find({ ...card, id: 'b' }, 'edit')]).toEqual([undefined, draft]);
  place.setItem('colour', 'dark');
  forgetAll();
  expect([...place.kept.keys()]).toEqual(['colour']);
});

test('a browser that keeps nothing, or something else, has no draft and breaks no page', () => {
  const { keep, find } = drafts(inPlace(true));
  keep(card, draft);
  expect(find(card, 'edit')).toBeUndefined();
  const place = shelf();
  drafts(() => place).keep(card, draft);
  for (const text of ['', '{', '7', '{"mode":"x"}'])
    for (const key of [...place.kept.keys()]) {
      place.setItem(key, text);
      expect(drafts(() => place).find(card, 'edit')).toBeUndefined();
    }
});

test('a browser that forbids storage has no draft, and an answer and a sign-out do not fail in it', () => {
  const { keep, find, forget, forgetAll } = drafts(() => {
    throw new DOMException('forbidden', 'SecurityError');
  });
  keep(card, draft);
  forget(card);
  forgetAll();
  expect(find(card, 'edit')).toBeUndefined();
});
