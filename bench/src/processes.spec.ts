import { expect, test } from 'vitest';
import { canLook, ofFamily, ofProcess } from './processes.js';

test.runIf(canLook)('a process is told with what it has used, and one that is gone with nothing (needs /proc)', () => {
  expect(ofProcess(process.pid).rssBytes).toBeGreaterThan(1_000_000);
  expect(ofProcess(2 ** 30)).toEqual({ cpuMs: 0, rssBytes: 0 });
  expect(ofFamily(process.pid).rssBytes).toBeGreaterThan(1_000_000);
});
