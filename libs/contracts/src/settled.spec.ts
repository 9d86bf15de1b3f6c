import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ActionSettled } from './event-data.js';
import { fitsJsonb } from './text.js';

const sample = JSON.parse(readFileSync(new URL('../samples/ActionSettled.executed.json', import.meta.url), 'utf8')) as {
  value: Record<string, unknown>;
};
const ended: Record<string, unknown> = { ...sample.value };
for (const beside of ['reason', 'externalReference', 'spentMinor', 'before', 'after']) delete ended[beside];

const exact = Number.MAX_SAFE_INTEGER;
const long = 'x'.repeat(2_000);
test.each([
  ['spentMinor', exact, exact],
  ['spentMinor', exact + 1, exact],
  ['spentMinor', Number.MAX_VALUE, exact],
  ['spentMinor', -1, undefined],
  ['spentMinor', 46.5, undefined],
  ['spentMinor', `${exact + 1}`, undefined],
  ['spentMinor', null, undefined],
  ['externalReference', 'crm-1', 'crm-1'],
  ['externalReference', 'a\nexecuted by nobody\u001b[2J\u0000', 'a\ufffdexecuted by nobody\ufffd[2J\ufffd'],
  ['externalReference', '\ud800', '\ufffd'],
  ['externalReference', long, 'x'.repeat(300)],
  ['externalReference', { id: 1 }, undefined],
  [
    'reason',
    { code: 'c', detail: 'says\r\nmore', field: 'f' },
    { code: 'c', detail: 'says\ufffd\ufffdmore', field: 'f' },
  ],
  ['reason', { code: long, detail: long, field: 7 }, { code: 'x'.repeat(80), detail: 'x'.repeat(1_000) }],
  ['reason', 'because', undefined],
  ['before', { bidMinor: 1 }, { bidMinor: 1 }],
  ['before', [1], undefined],
  ['after', { note: 'a\u0000' }, undefined],
  ['after', { '\udfff': 1 }, undefined],
])('a settlement whose %s is %j ends its permit, and tells %j', (name, given, read) => {
  const parsed = ActionSettled.parse(JSON.parse(JSON.stringify({ ...ended, [name]: given })));
  expect(parsed).toEqual({ ...ended, [name]: read });
  expect(fitsJsonb(JSON.stringify(parsed))).toBe(true);
});

test.each(['permitId', 'digest', 'executor', 'outcome', 'at'])('a settlement without its %s ends nothing', (name) => {
  const { [name]: _, ...without } = ended;
  expect(ActionSettled.safeParse(without).success).toBe(false);
});

test('an id is the same one however an executor writes its letters', () => {
  const ids = { permitId: ended.permitId, actionId: ended.actionId, proposalId: ended.proposalId };
  const written = Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, String(id).toUpperCase()]));
  expect(written).not.toEqual(ids);
  expect(ActionSettled.parse({ ...ended, ...written })).toMatchObject(ids);
});
