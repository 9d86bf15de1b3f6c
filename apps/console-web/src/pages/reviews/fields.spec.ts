import { expect, test } from 'vitest';
import { edited, fieldsOf, labelOf, localTime, typedOf } from './fields.js';

const schema = {
  type: 'object',
  required: ['subject', 'body', 'sendAt', 'amountMinor', 'currency', 'purpose'],
  properties: {
    subject: { type: 'string', maxLength: 200 },
    body: { type: 'string', maxLength: 5000 },
    sendAt: { type: 'string', format: 'date-time' },
    amountMinor: { type: 'integer', exclusiveMinimum: 0, maximum: 9_007_199_254_740_991 },
    currency: { type: 'string' },
    purpose: { type: 'string', enum: ['sales', 'service'] },
    ownerId: { type: 'string', maxLength: 200 },
    tags: { type: 'array', items: { type: 'string' } },
    sequence: { type: 'object', required: ['step'], properties: { step: { type: 'integer', minimum: 0, maximum: 9 } } },
  },
};
const payload = {
  subject: 'Hello',
  body: 'Text',
  sendAt: '2026-11-21T12:23:00.402Z',
  amountMinor: 30_005,
  currency: 'EUR',
  purpose: 'sales',
  tags: ['a', 'b'],
  sequence: { step: 1 },
};
const fields = fieldsOf(schema);

test('each member has the input that suits it, those of an object inside among them', () => {
  expect(fields.map(({ path, input }) => `${path.join('.')} ${input}`)).toEqual([
    'subject line',
    'body text',
    'sendAt time',
    'amountMinor money',
    'currency line',
    'purpose choice',
    'ownerId line',
    'tags list',
    'sequence.step number',
  ]);
});

test('a name is told in words', () => {
  expect([labelOf('dailyBudgetMinor'), labelOf('adAccountId'), labelOf('sendAt')]).toEqual([
    'Daily budget',
    'Ad account',
    'Send at',
  ]);
});

test('what nobody touched stays as it is, also what an input shows less of', () => {
  const typed = Object.fromEntries(fields.map((field) => [field.path.join('.'), typedOf(field, payload)]));
  expect(typed.amountMinor).toBe('300.05');
  expect(edited(payload, fields, typed)).toEqual({ payload, faults: {} });
});

test('what was typed takes its place: amounts in minor units, times as instants, lists line by line', () => {
  const typed = {
    amountMinor: '150',
    sendAt: '2026-11-22T08:00:00',
    tags: 'x\n\n y ',
    'sequence.step': '2',
    ownerId: 'u-1',
  };
  const result = edited(payload, fields, typed);
  expect(result.faults).toEqual({});
  expect(result.payload).toEqual({
    ...payload,
    amountMinor: 15_000,
    sendAt: new Date('2026-11-22T08:00:00').toISOString(),
    tags: ['x', 'y'],
    sequence: { step: 2 },
    ownerId: 'u-1',
  });
  expect(localTime(String(result.payload.sendAt))).toBe('2026-11-22T08:00:00');
});

test.each([
  [{ amountMinor: '1500', currency: 'JPY' }, { amountMinor: 1_500, currency: 'JPY' }, {}],
  [{ amountMinor: '1.5', currency: 'KWD' }, { amountMinor: 1_500, currency: 'KWD' }, {}],
  [{ currency: 'USD' }, { amountMinor: 30_005, currency: 'USD' }, {}],
  [{ currency: 'KWD' }, { amountMinor: 300_050, currency: 'KWD' }, {}],
  // 300.05 is no amount in yen, and 30,005 yen is not what the input shows.
  [{ currency: 'JPY' }, { amountMinor: 30_005, currency: 'JPY' }, { amountMinor: 'Write a whole number.' }],
  [
    { amountMinor: '5', currency: 'QQQ' },
    { amountMinor: 30_005, currency: 'QQQ' },
    { amountMinor: 'Write the currency first: a code of ISO 4217, such as EUR.' },
  ],
])('an amount is read in the currency that is typed beside it: %j', (typed, members, faults) => {
  expect(edited(payload, fields, typed)).toEqual({ payload: { ...payload, ...members }, faults });
});

test('an optional member that was emptied is gone; a needed one is a fault', () => {
  const given = { ...payload, ownerId: 'u-1' };
  expect(Object.keys(edited(given, fields, { ownerId: ' ' }).payload)).not.toContain('ownerId');
  const { payload: unchanged, faults } = edited(payload, fields, { subject: '' });
  expect([unchanged, faults]).toEqual([payload, { subject: 'This is needed.' }]);
});

test.each([
  ['amountMinor', '0', 'Write more than EUR 0.00.'],
  ['amountMinor', '0.00', 'Write more than EUR 0.00.'],
  ['sequence.step', '-1', 'Write 0 or more.'],
  ['sequence.step', '10', 'Write 9 or less.'],
])('%s cannot be %j, beyond what the kind allows: %s', (key, text, fault) => {
  expect(edited(payload, fields, { [key]: text })).toEqual({ payload, faults: { [key]: fault } });
});

test.each([
  ['amountMinor', '1.005'],
  ['amountMinor', 'a lot'],
  ['amountMinor', '-5'],
  ['sequence.step', '1.5'],
  ['sendAt', 'tomorrow'],
])('%s cannot be %j', (key, text) => {
  const { payload: unchanged, faults } = edited(payload, fields, { [key]: text });
  expect(unchanged).toEqual(payload);
  expect(faults[key]).toMatch(/^(Write|Choose)/);
});
