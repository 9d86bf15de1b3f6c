import { createHmac } from 'node:crypto';
import { eventBytes, leafHash, sha256 } from '@countersign/record';
import { describe, expect, test } from 'vitest';
import { leafOf } from './leaves.js';
import type { KafkaFact } from './record.js';
import { chain, ids, inboundSignal, kafkaFact } from './testing.js';

const key = Buffer.alloc(32, 7);
const approval = kafkaFact(chain.find(({ type }) => type === 'ActionApproved') as (typeof chain)[0], 41, 2);

describe('a leaf', () => {
  test('of an event without personal data keeps key, headers and value, and names their digest', () => {
    const { leaf, hash, kept, bytes } = leafOf(approval, key);
    expect(kept).toBe('event');
    expect(bytes).toEqual(eventBytes(approval));
    expect(leaf).toEqual({
      topic: 'actions.approved.v1',
      partition: 2,
      offset: '41',
      source: '/countersign/guardrail-validator',
      id: 'event-6',
      sha256: sha256(eventBytes(approval)),
    });
    expect(hash).toEqual(leafHash(leaf));
  });

  test('of an inbound signal keeps a keyed commitment and nothing that was in the signal', () => {
    const signal = inboundSignal('sig-1', 5);
    const { leaf, kept, bytes, ids: found } = leafOf(signal, key);
    const whole = eventBytes(signal);
    expect(kept).toBe('commitment');
    expect(Buffer.from(bytes)).toEqual(createHmac('sha256', key).update(whole).digest());
    expect(leaf.sha256).toEqual(sha256(bytes));
    expect(leaf).toMatchObject({ source: '/sources/website', id: 'sig-1', offset: '5' });
    const everything = Buffer.concat([bytes, leaf.sha256, Buffer.from(JSON.stringify([leaf, found]))]);
    expect(everything.includes('pat@example.com')).toBe(false);
    expect(everything.includes(Buffer.from(sha256(whole)))).toBe(false);
  });

  test('of a commitment cannot be guessed without the key', () => {
    const signal = inboundSignal('sig-1', 5);
    expect(leafOf(signal, key).leaf.sha256).not.toEqual(leafOf(signal, Buffer.alloc(32, 8)).leaf.sha256);
    expect(leafOf(signal, key).leaf.sha256).not.toEqual(
      leafOf(inboundSignal('sig-1', 5, 'b@example.com'), key).leaf.sha256,
    );
  });

  test.each(['contact-points.v1', 'reveals.sealed.v1'])('of %s keeps a commitment as well', (topic) => {
    expect(leafOf({ ...approval, topic }, key).kept).toBe('commitment');
  });

  test('differs for a forged twin: the same id at another offset, with other bytes', () => {
    const twin = { ...approval, offset: '42', value: Buffer.from('{}') };
    expect(leafOf(twin, key).hash).not.toEqual(leafOf(approval, key).hash);
  });
});

describe('a record that cannot be read', () => {
  const record = (given: Partial<KafkaFact>): KafkaFact => ({
    topic: 'actions.approved.v1',
    partition: 0,
    offset: '0',
    key: null,
    headers: {},
    value: null,
    ...given,
  });

  test('has a leaf without source and id where it states none', () => {
    expect(leafOf(record({ value: Buffer.from('nonsense') }), key)).toMatchObject({
      leaf: { source: null, id: null },
      kept: 'event',
      ids: [],
    });
  });

  test('is found by the id that it claims, control characters replaced in leaf and index alike', () => {
    const {
      leaf,
      hash,
      ids: found,
    } = leafOf(
      record({ headers: { ce_id: Buffer.from('a\u0000b\u0007'), ce_source: '/x\ud800' }, value: Buffer.from('{') }),
      key,
    );
    expect(leaf).toMatchObject({ id: 'a\ufffdb\ufffd', source: '/x\ufffd' });
    expect(found).toEqual([leaf.id]);
    expect(hash).toEqual(leafHash(leaf));
  });

  test('names its claimed author in structured mode too', () => {
    const body = {
      specversion: '1.0',
      id: 'x1',
      source: '/nobody',
      type: 'ActionApproved',
      time: '2026-11-21T10:00:00Z',
      data: {},
    };
    const headers = { 'content-type': 'application/cloudevents+json' };
    expect(leafOf(record({ headers, value: Buffer.from(JSON.stringify(body)) }), key).leaf).toMatchObject({
      source: '/nobody',
      id: 'x1',
    });
  });

  test('has a leaf when it has no value at all, as a tombstone', () => {
    expect(leafOf(record({ key: Buffer.from('k') }), key).leaf.sha256).toEqual(
      sha256(eventBytes({ key: Buffer.from('k'), headers: {}, value: null })),
    );
  });
});

describe('the ids of a leaf', () => {
  const idsOfType = (type: string) =>
    leafOf(kafkaFact(chain.find((e) => e.type === type) as (typeof chain)[0], 0), key).ids;

  test('are the event, its chain and what it is about', () => {
    expect(idsOfType('ActionApproved').toSorted()).toEqual(
      ['event-6', ids.signal, ids.task, ids.proposal, ids.editedAction, ids.permit, ids.review, ids.run].toSorted(),
    );
    expect(idsOfType('ReviewDecided').toSorted()).toEqual(
      ['event-5', ids.signal, ids.review, ids.proposal, ids.editedAction].toSorted(),
    );
  });

  test('of a profile name the version that a task was made from', () => {
    expect(idsOfType('ProfileChanged')).toContain('profile:account:acme@3');
    const profile = chain.find((e) => e.type === 'ProfileChanged') as (typeof chain)[0];
    const data = { kind: 'campaign', adAccountId: 'ads', campaignId: 'brand', version: 4 } as never;
    expect(leafOf(kafkaFact({ ...profile, data }, 0), key).ids).toContain('profile:campaign:ads brand@4');
  });
});
