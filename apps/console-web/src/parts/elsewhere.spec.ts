import { expect, test } from 'vitest';
import { elsewhereWords } from './elsewhere.js';

test('of an executor elsewhere it is said what it is, what stops for certain, what nobody can see, and whom to ask', () => {
  expect(elsewhereWords(['downstream'], 'stopped')).toBe(
    'downstream is the executor of another team: it runs approved actions outside of this installation. Nothing new of what is stopped is approved for it. What was approved before, it must refuse, but it has never confirmed a stop, so nobody here can see whether it does. Ask the people who run it.',
  );
  expect(elsewhereWords(['downstream'], 'running')).toMatch(/never confirmed a stop or a resume.* Ask the people/);
});
