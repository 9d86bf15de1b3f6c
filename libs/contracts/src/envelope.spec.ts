import { CloudEvent, Kafka } from 'cloudevents';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExact } from './canonical.js';
import { type Envelope, fromKafka, outputId, toBinary } from './envelope.js';
import { checkEvent, readEvent } from './read.js';
import { unreadableIdentity } from './signals.js';
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

describe('a signal is not lost for what stands around it', () => {
  const structured = { specversion: '1.0', id: 'e-1', source: '/s', type: 'T', time: '2026-11-21t10:00:00.5z' };
  const asStructured = (members: Record<string, unknown>, contentType = 'application/cloudevents+json') =>
    fromKafka(record({ 'content-type': contentType }, JSON.stringify({ ...structured, data: { a: 1 }, ...members })));
  const { traceparent, ...untraced } = event;

  test('null members are not set, and t and z of a time may be small', () => {
    const nothing = { subject: null, correlationid: null, dataschema: null, datacontenttype: null, tracestate: null };
    expect(asStructured({ ...nothing, data_base64: null })).toEqual({
      ok: true,
      event: { id: 'e-1', source: '/s', type: 'T', time: '2026-11-21T10:00:00.500Z', data: { a: 1 } },
    });
    expect(asStructured({ id: null })).toMatchObject({ ok: false, fault: { code: 'bad-attribute', field: 'id' } });
    expect(asStructured({ data: null })).toMatchObject({ ok: true, event: { data: null } });
  });

  test('data_base64 that holds JSON is read, in its charset and as exactly as data', () => {
    const base64 = (text: string, encoding: BufferEncoding = 'utf8') => Buffer.from(text, encoding).toString('base64');
    const read = (data_base64: unknown, more = {}) => asStructured({ data: undefined, data_base64, ...more });
    expect(read(base64('{"a":"ü"}'))).toMatchObject({ ok: true, event: { data: { a: 'ü' } } });
    const latin = { datacontenttype: 'application/json; charset=iso-8859-1' };
    expect(read(base64('{"a":"ü"}', 'latin1'), latin)).toMatchObject({ ok: true, event: { data: { a: 'ü' } } });
    expect(read(base64('"ü"', 'latin1'))).toMatchObject({ fault: { code: 'charset', field: 'data_base64' } });
    for (const bad of ['%', 'abc', 17, base64('{')]) {
      expect(read(bad)).toMatchObject({ ok: false, fault: { code: 'not-json', field: 'data_base64' } });
    }
    expect(read(base64('x'), { datacontenttype: 'image/png' })).toMatchObject({
      fault: { code: 'media-type', field: 'datacontenttype' },
    });
    expect(read(base64('{}'), { data: {} })).toMatchObject({ fault: { field: 'data_base64' } });
    const exact = fromKafka(
      record(
        { 'content-type': 'application/cloudevents+json' },
        JSON.stringify({ ...structured, data_base64: base64('{"a":1,"a":2}') }),
      ),
      parseExact,
    );
    expect(exact).toMatchObject({ ok: false, fault: { detail: expect.stringContaining('repeated member') } });
  });

  test.each([
    '',
    'none',
    '00-0-0-0',
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    'ff'.concat(event.traceparent?.slice(2) ?? ''),
    'x'.repeat(101),
    null,
    7,
  ])('a traceparent %j is left out, with its tracestate', (bad) => {
    expect(asStructured({ traceparent: bad, tracestate: 'a=b' })).toMatchObject({ ok: true, event: { id: 'e-1' } });
    expect(asStructured({ traceparent: bad, tracestate: 'a=b' })).not.toHaveProperty('event.tracestate');
    expect(asStructured({ traceparent: bad })).not.toHaveProperty('event.traceparent');
    const headers = { ...toBinary(untraced).headers, ce_traceparent: String(bad), traceparent: String(bad) };
    expect(fromKafka(record(headers, '{"a":1}'))).toEqual({ ok: true, event: untraced });
  });

  test('a tracestate that is unusable is left out alone, and a transport has what the event has not', () => {
    for (const tracestate of ['', 'a=\u0000', 'x'.repeat(2_000), 5]) {
      expect(asStructured({ traceparent, tracestate })).toMatchObject({ ok: true, event: { traceparent } });
      expect(asStructured({ traceparent, tracestate })).not.toHaveProperty('event.tracestate');
    }
    const headers = {
      'content-type': 'application/cloudevents+json',
      traceparent: traceparent ?? '',
      tracestate: 'a=b',
    };
    const value = JSON.stringify({ ...structured, traceparent: 'unusable', tracestate: 'lost=1' });
    expect(fromKafka(record(headers, value))).toMatchObject({ ok: true, event: { traceparent, tracestate: 'a=b' } });
  });

  test.each([
    'APPLICATION/CloudEvents+JSON',
    'application/cloudevents+json;charset="UTF-8"',
    ' application/cloudevents+json ;',
  ])('the content type %j is the structured one', (contentType) =>
    expect(asStructured({}, contentType)).toMatchObject({ ok: true }),
  );

  test.each(['Application/JSON', 'application/vnd.shop.v1+json; a=b', 'application/JSON; Charset=utf-8'])(
    'the content type %j is one of binary mode',
    (contentType) => {
      const headers = { ...toBinary(event).headers, 'content-type': contentType };
      expect(fromKafka(record(headers, '{"a":1}'))).toMatchObject({ ok: true, event: { data: { a: 1 } } });
    },
  );

  test.each([
    'application/json',
    'text/plain',
    'application/cloudevents+xml',
    'application/cloudevents-batch+json',
    'JSON',
  ])('a structured event as %s is refused by its content type, which is named', (contentType) => {
    const read = asStructured({}, contentType);
    expect(read).toMatchObject({ ok: false, fault: { code: 'media-type', field: 'content-type' } });
    expect(read).toMatchObject({ fault: { detail: expect.stringContaining(contentType) } });
    expect(read).toMatchObject({ fault: { detail: expect.stringContaining('application/cloudevents+json') } });
  });

  test('a structured event without a content type is refused by that', () => {
    expect(fromKafka(record({}, JSON.stringify(structured)))).toMatchObject({
      fault: { code: 'media-type', field: 'content-type', detail: expect.stringContaining('none') },
    });
  });
});

describe('bytes of a record', () => {
  const { headers } = toBinary(event);
  const read = (value: Buffer, contentType?: string, more: Record<string, Buffer> = {}) =>
    fromKafka({
      key: null,
      value,
      headers: { ...headers, ...(contentType && { 'content-type': contentType }), ...more },
    });
  const text = '{"a":"Größe €"}';

  test('are read in the charset of the content type, or of their byte order mark', () => {
    const data = { a: 'Größe €' };
    const windows = Buffer.from(text.replace('€', '\u0080'), 'latin1');
    const le = Buffer.from(text, 'utf16le');
    expect(read(Buffer.from(text))).toMatchObject({ event: { data } });
    expect(read(Buffer.from(`\ufeff${text}`))).toMatchObject({ event: { data } });
    expect(read(windows, 'application/json; charset=windows-1252')).toMatchObject({ event: { data } });
    expect(read(le, 'application/json; charset="UTF-16LE"')).toMatchObject({ event: { data } });
    expect(read(Buffer.from(`\ufeff${text}`, 'utf16le').swap16())).toMatchObject({ event: { data } });
  });

  test('that are not in their charset are refused with the position, never read with other letters', () => {
    const latin = Buffer.from('{"a":"Größe"}', 'latin1');
    expect(read(latin)).toMatchObject({
      ok: false,
      fault: { code: 'charset', detail: expect.stringContaining('UTF-8: byte 8 ') },
    });
    expect(read(Buffer.from('{"a":"\ud800"}', 'utf16le'), 'application/json;charset=utf-16le')).toMatchObject({
      fault: { code: 'charset', detail: expect.stringContaining('UTF-16LE') },
    });
    expect(read(Buffer.from('{}'), 'application/json; charset=klingon')).toMatchObject({
      fault: { code: 'charset', detail: expect.stringContaining('KLINGON') },
    });
  });

  test('of an attribute that are not UTF-8 are refused by its name; of trace context they are left out', () => {
    const bad = Buffer.from([0x61, 0xfc]);
    expect(read(Buffer.from(text), undefined, { ce_id: bad })).toMatchObject({
      ok: false,
      fault: { code: 'bad-attribute', field: 'ce_id', detail: expect.stringContaining('byte 1 ') },
    });
    expect(read(Buffer.from(text), undefined, { traceparent: bad, ce_tracestate: bad })).toMatchObject({ ok: true });
    expect(read(Buffer.from(text), undefined, { 'content-type': bad })).toMatchObject({
      fault: { field: 'content-type' },
    });
  });

  test('are read as they are, or not at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        const value = Buffer.concat([Buffer.from('{"a":"'), bytes.filter((b) => b > 0x7f), Buffer.from('"}')]);
        const found = read(value);
        expect(found.ok ? Buffer.from(JSON.stringify(found.event.data)) : value).toEqual(value);
      }),
    );
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

  describe.each([
    ['a withdrawal', { type: 'ConsentChanged', data: { purpose: 'sales', channel: 'email', status: 'withdrawn' } }],
    ['an unsubscription', { type: 'EmailUnsubscribed', data: {} }],
    ['a complaint', { type: 'EmailComplained', data: {} }],
    ['a bounce', { type: 'EmailBounced', data: { bounce: 'hard' } }],
  ])('%s', (_name, { type, data }) => {
    const check = (contact: unknown) => checkEvent(upstream, { ...signal, type, data: { ...data, contact } });

    test.each(['anna@firma.xn--p1ai', 'straße@firma.example', '"a b"@firma.example', 'anna@[IPv6:2001:db8::1]'])(
      'of %s is taken as it is written',
      (email) => expect(check({ email })).toMatchObject({ ok: true, event: { data: { contact: { email } } } }),
    );

    test.each(['anna at firma', '', 'a\u0000b@c.example', '\ud800', 'x'.repeat(321), null, 17, ['a@b.example'], {}])(
      'of an unreadable address %j is taken by the reference beside it, and without one refused, the address never told',
      (email) => {
        expect(check({ ref: 'crm:1', email })).toMatchObject({
          ok: true,
          event: { data: { contact: { ref: 'crm:1', email: unreadableIdentity } } },
        });
        const alone = check({ email });
        expect(alone).toMatchObject({ ok: false, fault: { code: 'contract', field: 'data.contact.email' } });
        if (typeof email === 'string' && email !== '') expect(JSON.stringify(alone)).not.toContain(email);
      },
    );

    test.each(['crm 1', '', 'crm:\u00fc', 'crm:\u0000', '\ud800', 'x'.repeat(201), null, 17, ['crm:1'], {}])(
      'of an unreadable reference %j is taken by the address beside it, and without one refused, the reference never told',
      (ref) => {
        expect(check({ ref, email: 'a@b.example' })).toMatchObject({
          ok: true,
          event: { data: { contact: { ref: unreadableIdentity, email: 'a@b.example' } } },
        });
        const alone = check({ ref });
        expect(alone).toMatchObject({ ok: false, fault: { code: 'contract', field: 'data.contact.ref' } });
        if (typeof ref === 'string' && ref !== '') expect(JSON.stringify(alone)).not.toContain(ref);
      },
    );

    test('of which neither the reference nor the address can be read is refused, and both are told', () => {
      expect(check({ ref: 'crm 1', email: 'anna at firma' })).toMatchObject({
        ok: false,
        fault: { code: 'contract', field: 'data.contact', detail: expect.stringMatching(/ref .* email /) },
      });
    });

    test('that names nobody is refused', () => {
      expect(check({})).toMatchObject({
        ok: false,
        fault: { field: 'data.contact', detail: expect.stringContaining('give ref') },
      });
    });
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
    ])('[case 9] %s is refused by every reader, where JSON.parse would have picked a number', (text, detail) => {
      expect(readEvent(topic, record(headers, text))).toMatchObject({
        ok: false,
        fault: { detail: expect.stringContaining(detail) },
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
