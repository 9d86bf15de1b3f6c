import { topics } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { type Confirmation, confirmed, readerOf } from './confirmed.js';

const control = { scope: 'all', version: 3, digests: ['a', 'without what is new'] };
const executors = ['action-executor', 'ledger'];
const by = (reader: string, change: Partial<Confirmation> = {}): Confirmation => ({
  ...{ scope: 'all', version: 3, digest: 'a', reader },
  ...change,
});
const confirmedBy = (confirmations: readonly Confirmation[], others: readonly string[] = []) =>
  confirmed(control, confirmations, new Set(others), { executors });

test('the validator and every executor have to go by this version with this content', () => {
  const all = [by('guardrail-validator'), by('action-executor')];
  expect(confirmedBy(all)).toEqual({
    ...{ confirmed: true, confirmedBy: ['guardrail-validator', 'action-executor'], notConfirmedBy: [] },
    unknown: ['ledger'],
  });
  for (const change of [{ version: 2 }, { version: 4 }, { digest: 'b' }, { scope: 'agent:a' }])
    expect(confirmedBy([by('guardrail-validator'), by('action-executor', change)])).toMatchObject({
      confirmed: false,
      notConfirmedBy: ['action-executor'],
    });
  expect(confirmedBy([by('guardrail-validator')])).toMatchObject({
    confirmed: false,
    notConfirmedBy: ['action-executor'],
  });
});

test('a reader that does not know a newer member of the control confirms it too', () => {
  const older = by('action-executor', { digest: 'without what is new' });
  expect(confirmedBy([by('guardrail-validator'), older])).toMatchObject({ confirmed: true });
});

test('an executor that runs elsewhere has to as soon as it ever confirmed a control', () => {
  const all = [by('guardrail-validator'), by('action-executor')];
  expect(confirmedBy(all, ['ledger'])).toMatchObject({ confirmed: false, notConfirmedBy: ['ledger'], unknown: [] });
  expect(confirmedBy([...all, by('ledger')], ['ledger'])).toMatchObject({
    confirmed: true,
    notConfirmedBy: [],
    unknown: [],
  });
});

test('what was never said, everybody goes by', () => {
  expect(confirmed(undefined, [], new Set(), { executors })).toMatchObject({ confirmed: true, notConfirmedBy: [] });
});

test('a reader is known by its topic', () => {
  expect(readerOf(topics.controlsConfirmed('action-executor').name)).toBe('action-executor');
  expect(readerOf('controls.v1')).toBeUndefined();
});
