import { expect, test } from 'vitest';
import { applySettings, changesBetween, Misused } from './edit.js';

const payload = { amountMinor: 60_000, campaignId: 'c-1', on: true, sequence: { step: 1 } };

test('a setting is read as the type that stands there', () => {
  expect(applySettings(payload, ['amountMinor=40000', 'campaignId=17', 'on=false', 'sequence.step=2'])).toEqual({
    amountMinor: 40_000,
    campaignId: '17',
    on: false,
    sequence: { step: 2 },
  });
  expect(payload.amountMinor).toBe(60_000);
});

test('a value may hold an equals sign and be empty', () => {
  expect(applySettings({ url: 'x', note: 'y' }, ['url=https://a.example/?b=c', 'note='])).toEqual({
    url: 'https://a.example/?b=c',
    note: '',
  });
});

test('what was not there is read as JSON, else as text', () => {
  expect(applySettings({}, ['a=1', 'b=one'])).toEqual({ a: 1, b: 'one' });
});

test.each([
  ['amountMinor', 'name=value is expected'],
  ['=1', 'name=value is expected'],
  ['amountMinor=much', 'a number is expected'],
  ['on=1', 'a boolean is expected'],
  ['nothing.step=1', 'there is no nothing to reach into'],
  ['campaignId.x=1', 'there is no campaignId to reach into'],
])('the setting %s is refused, saying why', (setting, reason) => {
  expect(() => applySettings(payload, [setting])).toThrow(Misused);
  expect(() => applySettings(payload, [setting])).toThrow(reason);
});

test('a setting cannot reach a prototype', () => {
  expect(() => applySettings({}, ['__proto__.polluted=1'])).toThrow(Misused);
  applySettings({}, ['__proto__=1']);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test('only what differs is a change, by its path', () => {
  expect(changesBetween(payload, { ...payload, amountMinor: 1, sequence: { step: 1 }, note: 'new' })).toEqual([
    { path: 'amountMinor', before: 60_000, after: 1 },
    { path: 'note', before: undefined, after: 'new' },
  ]);
  expect(changesBetween({}, JSON.parse('{"constructor":1,"__proto__":2}'))).toEqual([
    { path: 'constructor', before: undefined, after: 1 },
    { path: '__proto__', before: undefined, after: 2 },
  ]);
  expect(changesBetween({ list: [1] }, { list: [1, 2] })).toEqual([{ path: 'list', before: [1], after: [1, 2] }]);
});
