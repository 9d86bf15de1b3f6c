import { beforeEach, expect, test, vi } from 'vitest';
import { time } from '../../app/console-time.js';
import { noRecordPlace } from '../record/proof/record.js';
import { worstWords } from './proof-words.js';
import type { Proof } from './use-proof.js';

const at = '2026-11-21T10:00:00.000Z';
const young = '2026-11-21T10:59:30.000Z';

beforeEach(() => {
  vi.spyOn(time, 'now').mockReturnValue(Date.parse('2026-11-21T11:00:00.000Z'));
});

/** From the worst to the best. */
const proofs: readonly (readonly [Proof, string])[] = [
  [{ state: 'wrong', detail: 'd' }, 'Do not rely on the steps with a wrong proof, and tell an auditor.'],
  [
    { state: 'not-on-record' },
    'The record does not have every event at its place. Do not rely on those steps, and tell an auditor.',
  ],
  [{ state: 'unreachable', detail: 'the record does not answer' }, 'The record does not answer. This page asks again.'],
  [{ state: 'cannot-check', detail: 'this browser cannot check' }, 'this browser cannot check'],
  [{ state: 'not-set' }, noRecordPlace],
  [{ state: 'forgotten' }, 'The console no longer has the bytes of every event. The record has them.'],
  [{ state: 'not-signed-yet' }, 'The record signs every two seconds. This page asks again.'],
  [{ state: 'proved', index: 1, size: 2 }, 'Nobody can change them or take them out unseen.'],
];

test.each(proofs.map(([proof, words], n) => [proof.state, words, n] as const))(
  'the words for all steps are those of the worst proof: %s before all that are better',
  (_, words, n) => {
    const better = proofs.slice(n).map(([proof]) => ({ proof, at }));
    expect(worstWords(better)).toBe(words);
    expect(worstWords(better.toReversed())).toBe(words);
  },
);

test('an event that is missing warns only if the record had time for it', () => {
  const missing = (when: string) => ({ proof: { state: 'not-on-record' } as const, at: when });
  expect(worstWords([missing(young), missing(young)])).toBe('The record takes a moment. This page asks again.');
  expect(worstWords([missing(young), missing(at)])).toContain('tell an auditor');
});

test('without a proof there are no words', () => {
  expect(worstWords([])).toBe('');
});
