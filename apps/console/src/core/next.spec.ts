import { expect, test } from 'vitest';
import { nextPage } from './next.js';

test.each([
  ['/reviews/1?state=open#top', '/reviews/1?state=open#top'],
  ['/stories?q=a%20b&c="><script>', '/stories?q=a%20b&c=%22%3E%3Cscript%3E'],
  ['/', '/'],
  [undefined, '/'],
  [['/reviews', '/stories'], '/'],
  ['', '/'],
  ['reviews', '/'],
  ['//evil.example/x', '/'],
  ['/\\evil.example', '/'],
  ['/\t/evil.example', '/'],
  ['/..//evil.example', '/'],
  ['/.//evil.example', '/'],
  ['https://evil.example', '/'],
  ['javascript:alert(1)', '/'],
  ['/sign-in?next=/reviews', '/'],
  ['/v1/sign-in/oidc', '/'],
  ['/v1/session', '/'],
  ['/assets/index-12345678.js', '/'],
  [`/reviews?${'x'.repeat(1_000)}`, '/'],
  // Encoded, it is longer than what was asked for.
  [`/reviews?${'ä'.repeat(500)}`, '/'],
])('after signing in, %j leads to %s', (next, path) => {
  expect(nextPage(next, 'https://console.example')).toBe(path);
});
