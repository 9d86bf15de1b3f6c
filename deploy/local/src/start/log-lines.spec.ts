import { expect, test } from 'vitest';
import { readable } from './log-lines.js';

test.each([
  [
    '{"level":"error","time":"2026-11-21T10:00:00.000Z","service":"console","context":"x","msg":"does not start: PORT is wrong"}',
    'ERROR [x] does not start: PORT is wrong',
  ],
  ['{"level":"info","msg":"GET /v1/reviews 200","status":200}', 'INFO GET /v1/reviews 200'],
  ['Error: Cannot find module', 'Error: Cannot find module'],
  ['{"level":30}', '{"level":30}'],
  ['{"half', '{"half'],
  ['null', 'null'],
])('a line of a log as a person reads it: %s', (line, read) => {
  expect(readable(line)).toBe(read);
});
