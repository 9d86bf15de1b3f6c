import { expect, test, vi } from 'vitest';

// The settings of vitest.config.ts, not this file, put back what the first test leaves; the second one sees that they did.
const library = { answers: () => 'its own' };

test('a test may leave a spy, a stubbed variable and a stubbed global behind', () => {
  vi.spyOn(library, 'answers').mockReturnValue('planted');
  vi.stubEnv('PLANTED', '1');
  vi.stubGlobal('planted', 1);
  expect([library.answers(), process.env.PLANTED, 'planted' in globalThis]).toEqual(['planted', '1', true]);
});

test('the next test does not meet them', () => {
  expect([library.answers(), process.env.PLANTED, 'planted' in globalThis]).toEqual(['its own', undefined, false]);
});
