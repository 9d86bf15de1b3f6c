import { distance, installation, Misused, wrap } from '@countersign/client/core';
import { expect, test } from 'vitest';
import { deadLetterRow } from './dead-letters.js';
import { now } from './given.js';
import { permitIn } from './permit.js';
import { scopeOf } from './scope.js';

test('exactly one scope can be stopped at a time', () => {
  expect(scopeOf({ all: true })).toBe('all');
  expect(scopeOf({ agent: 'paid-media-agent' })).toBe('agent:paid-media-agent');
  expect(() => scopeOf({})).toThrow(Misused);
  expect(() => scopeOf({ all: true, channel: 'email' })).toThrow('exactly one of --all');
});

test('the environment goes before run.json, and run.json before the default ports', () => {
  const found = {
    path: '/p/.countersign/run.json',
    credentials: '/p/.countersign/credentials',
    run: { http: { console: 'http://127.0.0.1:9000/' }, person: 'lea' },
  };
  expect(installation({}, undefined).urls.console).toBe('http://127.0.0.1:8088');
  expect(installation({}, found)).toMatchObject({
    urls: { console: 'http://127.0.0.1:9000' },
    credentials: '/p/.countersign/credentials',
    person: 'lea',
  });
  const env = { COUNTERSIGN_CONSOLE_URL: 'http://10.0.0.1:1', COUNTERSIGN_TOKEN: 'b' };
  expect(installation(env, found)).toMatchObject({ urls: { console: 'http://10.0.0.1:1' }, token: 'b' });
  expect(installation({ COUNTERSIGN_TOKEN: '' }, found).token).toBeUndefined();
  expect(installation({ COUNTERSIGN_CREDENTIALS: '/own' }, found).credentials).toBe('/own');
  expect(() => installation({ COUNTERSIGN_AUDIT_URL: 'here' }, found)).toThrow(
    'COUNTERSIGN_AUDIT_URL: "here" is not a URL',
  );
});

test('a permit is found in a text, in an approval and in its CloudEvent', () => {
  expect(permitIn(' a.b.c\n')).toBe('a.b.c');
  expect(permitIn('{"permit":"a.b.c"}')).toBe('a.b.c');
  expect(permitIn('{"type":"ActionApproved","data":{"permit":"a.b.c"}}')).toBe('a.b.c');
  expect(permitIn('{"no":"permit"}')).toBe('{"no":"permit"}');
});

test('a dead letter has the last order to replay it, with who, when and why; one of before notes were kept has none', () => {
  const fault = { code: 'x', detail: 'y' };
  const place = { deadLetterId: 'a', service: 's', topic: 't', partition: 0, offset: '1', fault, attempts: 3, at: now };
  const state = { state: 'open', endedAt: null, failedAgain: null } as const;
  const found = { ...place, ...state, type: null, job: null, replayedBy: null, replayedAt: null, replayNote: null };
  expect(deadLetterRow(found)).toEqual({ ...place, ...state, replayed: null });
  const job = { kind: 'call', id: 'j' };
  expect(deadLetterRow({ ...found, job, replayedBy: 'lea', replayedAt: now })).toEqual({
    ...{ ...place, ...state, job },
    replayed: { by: 'lea', at: now },
  });
  expect(deadLetterRow({ ...found, replayedBy: 'lea', replayedAt: now, replayNote: 'mended' }).replayed?.note).toBe(
    'mended',
  );
});

test('distances are told in the unit that fits', () => {
  expect(distance('2026-11-21T10:01:00.000Z', now)).toBe('in 60 s');
  expect(distance('2026-11-21T09:15:00.000Z', now)).toBe('45 min ago');
  expect(distance('2026-11-23T10:00:00.000Z', now)).toBe('in 2 days');
});

test('text is broken at spaces, and a word that is too long stays whole', () => {
  expect(wrap('one two three', 9, '  ')).toBe('  one two\n  three');
  expect(wrap('incomprehensibilities now', 9, '')).toBe('incomprehensibilities\nnow');
});
