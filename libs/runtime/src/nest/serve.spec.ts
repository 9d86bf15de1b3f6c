import { expect, test, vi } from 'vitest';
import { OneLineLogger } from './serve.js';

test('a line break in a text makes no line of the log', () => {
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    new OneLineLogger({ colors: false }).warn('run suppressed: why\n[Nest] 1  LOG ready\u2028\u001b[2J', 'plays');
  } finally {
    vi.restoreAllMocks();
  }
  const line = written.join('');
  expect(line).toContain('[Nest] 1  LOG ready');
  expect(line.replace(/\n$/, '')).not.toMatch(/[\p{Cc}\p{Zl}]/u);
});
