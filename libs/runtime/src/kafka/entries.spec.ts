import { topicNamed, topology } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { readEntry, textHeaders } from './entries.js';

test('a header that is not UTF-8 is neither kept as text nor told as an attribute', () => {
  const headers = {
    ce_id: Buffer.from([0x61, 0xfc]),
    ce_source: Buffer.from('/sources/crm'),
    ce_type: Buffer.from('Größe'),
  };
  const record = { partition: 0, offset: '7', key: null, value: Buffer.from('{}'), headers };
  expect(textHeaders(record)).toEqual({ ce_source: '/sources/crm', ce_type: 'Größe' });
  const entry = readEntry(topicNamed('signals.inbound.crm.v1', topology()), record);
  expect(entry).toMatchObject({ fault: { code: 'bad-attribute' }, hint: { source: '/sources/crm', type: 'Größe' } });
  expect(entry.hint).not.toHaveProperty('id');
});
