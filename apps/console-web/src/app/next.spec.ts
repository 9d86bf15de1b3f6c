import { expect, test } from 'vitest';
import { nextPath } from './next.js';

test.each([
  ['/reviews/1?state=open#top', '/reviews/1?state=open#top'],
  ['/', '/'],
  [undefined, '/'],
  ['', '/'],
  ['reviews', '/'],
  ['//evil.example/x', '/'],
  ['/\\evil.example', '/'],
  ['/\t/evil.example', '/'],
  ['/..//evil.example', '/'],
  ['https://evil.example', '/'],
  ['javascript:alert(1)', '/'],
  ['/sign-in?next=/reviews', '/'],
])('after signing in, %j leads to %s', (next, path) => {
  expect(nextPath(next, 'https://console.example')).toBe(path);
});
