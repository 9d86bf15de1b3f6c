import { expect, test } from 'vitest';
import { maxBatchEvents, readHttp } from './http-binding.js';

const attributes = { specversion: '1.0', id: '1', source: '/s', type: 'T', time: '2026-01-01T00:00:00Z' };
const binary = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]));
const event = { id: '1', source: '/s', type: 'T', time: '2026-01-01T00:00:00.000Z', data: { a: 1 } };
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('reads attributes from ce- headers and data from a JSON body', () => {
  expect(readHttp({ headers: { ...binary, 'content-type': 'application/json' }, body: '{"a":1}' })).toEqual({
    ok: true,
    batch: false,
    events: [{ ok: true, event }],
  });
});

test('decodes percent-encoded and quoted header values', () => {
  const headers = { ...binary, 'ce-subject': '"Euro%20%E2%82%AC"', 'ce-id': '50%', 'content-type': 'application/json' };
  expect(readHttp({ headers, body: '{"a":1}' })).toMatchObject({
    events: [{ event: { subject: 'Euro €', id: '50%' } }],
  });
});

test('reads a structured event and a batch, whatever the parameters of the media type', () => {
  const structured = JSON.stringify({ ...attributes, data: { a: 1 } });
  const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
  expect(readHttp({ headers, body: structured })).toEqual({ ok: true, batch: false, events: [{ ok: true, event }] });
  expect(
    readHttp({ headers: { 'content-type': 'Application/CloudEvents-batch+json' }, body: `[${structured},[]]` }),
  ).toMatchObject({ ok: true, batch: true, events: [{ ok: true }, { ok: false, fault: { code: 'not-an-object' } }] });
});

test("carries the request's trace context to every event that has none of its own", () => {
  const own = traceparent.replace('0af7', 'ffff');
  const body = JSON.stringify([attributes, { ...attributes, traceparent: own }]);
  const headers = { 'content-type': 'application/cloudevents-batch+json', traceparent };
  expect(readHttp({ headers, body })).toMatchObject({
    events: [{ event: { traceparent } }, { event: { traceparent: own } }],
  });
  const single = { ...binary, 'content-type': 'application/json', traceparent };
  expect(readHttp({ headers: single, body: '{}' })).toMatchObject({ events: [{ event: { traceparent } }] });
});

test.each([
  ['a missing attribute', { ...binary, 'ce-id': undefined, 'content-type': 'application/json' }, '{}', 'ce-id'],
  ['an attribute out of shape', { ...binary, 'ce-time': 'noon', 'content-type': 'application/json' }, '{}', 'ce-time'],
])('names the header of %s', (_name, headers, body, field) => {
  expect(readHttp({ headers, body })).toMatchObject({
    events: [{ ok: false, fault: { code: 'bad-attribute', field } }],
  });
});

test('refuses what is no JSON by media type or by content, never quoting it', () => {
  expect(readHttp({ headers: { 'content-type': 'text/plain' }, body: '' })).toMatchObject({
    fault: { code: 'media-type', field: 'content-type' },
  });
  const read = readHttp({ headers: { 'content-type': 'application/json' }, body: 'jane@example.com' });
  expect(read).toMatchObject({ ok: false, fault: { code: 'not-json' } });
  expect(JSON.stringify(read)).not.toContain('jane');
  expect(readHttp({ headers: { 'content-type': 'application/cloudevents-batch+json' }, body: '{}' })).toMatchObject({
    fault: { code: 'not-an-array' },
  });
});

test('a structured event with the content type of binary mode is refused by it', () => {
  for (const body of [JSON.stringify(attributes), JSON.stringify([attributes])]) {
    expect(readHttp({ headers: { 'content-type': 'application/json' }, body })).toMatchObject({
      ok: false,
      fault: { code: 'media-type', field: 'content-type', detail: expect.stringContaining('application/json has') },
    });
  }
  expect(readHttp({ headers: {}, body: JSON.stringify(attributes) })).toMatchObject({
    fault: { code: 'media-type', detail: expect.stringContaining('not none') },
  });
});

test('a body is read in its charset, and one that is not in it is refused with the position', () => {
  const read = (body: Buffer, charset = '') =>
    readHttp({ headers: { ...binary, 'content-type': `application/json${charset}` }, body });
  const latin = Buffer.from('{"a":"Größe"}', 'latin1');
  expect(read(latin)).toMatchObject({
    ok: false,
    fault: { code: 'charset', detail: expect.stringContaining('byte 8 ') },
  });
  for (const body of [latin, Buffer.from('\ufeff{"a":"Größe"}')]) {
    expect(read(body, '; Charset="ISO-8859-1"')).toMatchObject({ events: [{ event: { data: { a: 'Größe' } } }] });
  }
  expect(read(latin, '; charset=klingon')).toMatchObject({ fault: { code: 'charset' } });
});

test('a header is read as UTF-8 where its bytes are, else as ISO-8859-1, never with other letters', () => {
  const subject = (bytes: Buffer) =>
    readHttp({
      headers: { ...binary, 'ce-subject': bytes.toString('latin1'), 'content-type': 'application/json' },
      body: '{}',
    });
  for (const bytes of [Buffer.from('Größe'), Buffer.from('Größe', 'latin1')]) {
    expect(subject(bytes)).toMatchObject({ events: [{ event: { subject: 'Größe' } }] });
  }
});

test.each(['', 'none', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`])(
  'an unusable traceparent %j takes no event along',
  (bad) => {
    const headers = {
      ...binary,
      'content-type': 'application/json',
      traceparent: bad,
      tracestate: '',
      'ce-traceparent': bad,
    };
    expect(readHttp({ headers, body: '{"a":1}' })).toEqual({ ok: true, batch: false, events: [{ ok: true, event }] });
  },
);

test('a body that nests too deep is told as that, in every mode', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  const base64 = JSON.stringify({ ...attributes, data_base64: Buffer.from(deep).toString('base64') });
  const refused = { ok: false, fault: { code: 'too-deep' } };
  expect(readHttp({ headers: { ...binary, 'content-type': 'application/json' }, body: deep })).toMatchObject(refused);
  const structured = { 'content-type': 'application/cloudevents+json' };
  expect(readHttp({ headers: structured, body: `{"data":${deep}}` })).toMatchObject(refused);
  expect(readHttp({ headers: structured, body: base64 })).toMatchObject({ events: [refused] });
});

test('of a batch with more events than one may have none is read', () => {
  const headers = { 'content-type': 'application/cloudevents-batch+json' };
  const read = (events: number) => readHttp({ headers, body: JSON.stringify(Array(events).fill({})) });
  expect(read(maxBatchEvents)).toMatchObject({ ok: true, batch: true });
  expect(read(maxBatchEvents + 1)).toEqual({
    ok: false,
    fault: { code: 'too-many', detail: 'a batch holds at most 500 events' },
    attributes: {},
  });
});
