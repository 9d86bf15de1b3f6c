import { expect, test } from 'vitest';
import { findJson } from './find-json.js';
import { readCompletion } from './read-completion.js';

const nested = (depth: number): string => '{"a":'.repeat(depth) + 1 + '}'.repeat(depth);

test('an answer that nests too deep is no answer, in the body or in the text', () => {
  expect(findJson(nested(100))).toEqual(JSON.parse(nested(100)));
  for (const depth of [101, 3_000, 100_000]) {
    expect(findJson(nested(depth))).toBeUndefined();
    expect(findJson(`Here it is: ${nested(depth)}`)).toBeUndefined();
    const body = `{"choices":[{"message":{"content":"{}"}}],"usage":${nested(depth)}}`;
    expect(readCompletion(body)).toMatchObject({
      asked: { ok: false, reason: expect.stringMatching(/nests too deep/) },
    });
  }
});
