import { CloudEvent, Kafka } from 'cloudevents';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Envelope, fromKafka, outputId, toBinary } from './envelope.js';
import { checkEvent, readEvent } from './read.js';
import { topicNamed, topology } from './topology.js';

const event: Envelope = {
  id: 'e-1',
  source: '/countersign/orchestrator',
  type: 'TaskAssigned',
  time: '2026-11-21T10:00:00.000Z',
  correlationid: 'c-1',
  causationid: 'c-2',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  data: { a: 1 },
};
const record = (headers: Record<string, string>, value: string) => ({ key: 'k', headers, value });

describe('the Kafka protocol binding of CloudEvents 1.0', () => {
  test('what is written in binary mode is read again', () => {
    const { headers, value } = toBinary(event);
    expect(fromKafka(record(headers, value))).toEqual({ ok: true, event });
  });

  test("the CloudEvents project's own library reads what we write", () => {
    const { headers, value } = toBinary(event);
    const read = Kafka.toEvent({
      headers,
      body: value,
      key: 'k',
      value,
      timestamp: '',
    } as never) as CloudEvent<unknown>;
    expect(read).toMatchObject({
      id: 'e-1',
      type: 'TaskAssigned',
      source: '/countersign/orchestrator',
      correlationid: 'c-1',
    });
  });

  test("we read what the CloudEvents project's own library writes, in both modes", () => {
    const theirs = new CloudEvent({
      id: 'x',
      source: '/sources/upstream',
      type: 'PageViewed',
      time: '2026-11-21T10:00:00.000Z',
      data: { url: 'https://a.example/' },
    });
    for (const message of [Kafka.binary(theirs as CloudEvent<never>), Kafka.structured(theirs as CloudEvent<never>)]) {
      const value = typeof message.value === 'string' ? message.value : JSON.stringify(message.value ?? message.body);
      const read = fromKafka({ key: null, headers: message.headers as Record<string, string>, value });
      expect(read).toMatchObject({
        ok: true,
        event: { id: 'x', type: 'PageViewed', data: { url: 'https://a.example/' } },
      });
    }
  });

  test.each([
    ['an attribute is missing', { ce_id: undefined }, 'ce_id'],
    ['the time is no time', { ce_time: 'yesterday' }, 'ce_time'],
    ['the version is another', { ce_specversion: '0.3' }, 'ce_specversion'],
    ['an id holds a control character', { ce_id: 'a\u0000b' }, 'ce_id'],
    [
      'an id holds half of a surrogate pair, which a database would keep as something else',
      { ce_id: 'a\ud800' },
      'ce_id',
    ],
  ])('names the attribute when %s', (_name, change, field) => {
    const headers = Object.fromEntries(
      Object.entries({ ...toBinary(event).headers, ...change }).filter(([, v]) => v !== undefined),
    ) as Record<string, string>;
    expect(fromKafka(record(headers, '{}'))).toMatchObject({ ok: false, fault: { field } });
  });

  test('never throws, whatever the bytes are, and never quotes them', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.dictionary(fc.string({ maxLength: 20 }), fc.string({ maxLength: 40 })),
        (bytes, headers) => {
          const read = fromKafka({ key: null, value: Buffer.from(bytes), headers });
          expect(typeof read.ok).toBe('boolean');
        },
      ),
    );
    const secret = fromKafka(record(toBinary(event).headers, '{"email": "kim@example.test" oops'));
    expect(JSON.stringify(secret)).not.toContain('kim@');
  });
});

describe('an event on its topic', () => {
  const topics = topology();
  const upstream = topicNamed('signals.inbound.upstream.v1', topics);
  const signal = {
    id: '1',
    source: '/sources/upstream/shop',
    type: 'PageViewed',
    time: event.time,
    data: { contact: { ref: 'a' }, url: 'https://a.example/' },
  };

  test('is accepted from the source that may write the topic, and from what is under it', () => {
    expect(checkEvent(upstream, signal).ok).toBe(true);
    expect(checkEvent(upstream, { ...signal, source: '/sources/upstream' }).ok).toBe(true);
  });

  test.each(['/sources/crm', '/sources/upstreamer', '/countersign/console'])('is refused from %s', (source) => {
    expect(checkEvent(upstream, { ...signal, source })).toMatchObject({
      ok: false,
      fault: { code: 'wrong-author', field: 'source' },
    });
  });

  test.each(['ActionApproved', 'toString', 'Nonsense'])('of type %s is refused where it does not belong', (type) => {
    expect(checkEvent(upstream, { ...signal, type })).toMatchObject({ ok: false, fault: { code: 'unknown-type' } });
  });

  test('with a member that its contract does not have is refused, naming the member', () => {
    expect(checkEvent(upstream, { ...signal, data: { ...signal.data, card: '4111' } })).toMatchObject({
      ok: false,
      fault: { code: 'contract', field: 'data.card' },
    });
  });

  describe.each([
    ['actions.proposed.paid-media-agent.v1', 'ActionProposed'],
    ['actions.approved.v1', 'ActionApproved'],
  ])('%s', (name, type) => {
    const topic = topicNamed(name, topics);
    const { headers } = toBinary({ ...event, source: topic.source ?? '', type });

    test.each([
      ['{"action":{"amountMinor":1,"amountMinor":82000}}', 'repeated member'],
      ['{"action":{"amountMinor":9007199254740993}}', 'too large to hold exactly'],
    ])('[case 9] %s is refused by every reader, where JSON.parse would have picked a number', (text, says) => {
      expect(readEvent(topic, record(headers, text))).toMatchObject({
        ok: false,
        fault: { says: expect.stringContaining(says) },
      });
    });
  });

  test.each(['/countersign/signal-ingestion', '/countersign/paid-media-agent', '/sources/upstream'])(
    '[case 65] a policy or a stop from %s is none, since the console alone writes them',
    (source) => {
      for (const [name, type] of [
        ['policies.v1', 'PolicyPublished'],
        ['controls.v1', 'ControlChanged'],
      ] as const) {
        const topic = topicNamed(name, topics);
        expect(checkEvent(topic, { ...signal, source, type })).toMatchObject({
          ok: false,
          fault: { code: 'wrong-author' },
        });
        const ours = checkEvent(topic, { ...signal, source: '/countersign/console', type });
        expect(ours.ok || ours.fault.code).not.toBe('wrong-author');
      }
    },
  );
});

test('ids of outputs differ by service, cause and index', () => {
  const cause = { source: '/a', id: '1' };
  const ids = [
    outputId('s', cause, 0),
    outputId('s', cause, 1),
    outputId('t', cause, 0),
    outputId('s', { source: '/b', id: '1' }, 0),
  ];
  expect(new Set(ids).size).toBe(4);
});
