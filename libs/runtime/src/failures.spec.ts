import { kafkajs } from '@countersign/kafka';
import { expect, test } from 'vitest';
import { classes, installationCodes } from './database/sqlstates.js';
import { backoff, describe, faultOf, isTransient, lostRace } from './failures.js';

const { KafkaJSAggregateError, KafkaJSNonRetriableError, KafkaJSProtocolError } = kafkajs;
const failed = (more: object, message = 'failed') => Object.assign(new Error(message), more);
const database = (code: string, more: object = {}) =>
  failed({ code, severity: 'ERROR', routine: 'r', ...more }, 'value "kim@example.test" is bad');

test.each([
  ['the server is shutting down', database('57P01')],
  ['a statement was cancelled', database('57014')],
  ['the disk is full', database('53100')],
  ['too many connections', database('53300')],
  ['the connection failed', database('08006')],
  ['a password was changed', database('28P01')],
  ['a right is missing', database('42501')],
  ['the server became a standby', database('25006')],
  ['the transaction stood idle', database('25P03')],
  ['a deadlock', database('40P01')],
  ['a serialisation failure', database('40001')],
  ['a corrupted index', database('XX002')],
  ['a plan of a table that has other columns by now', database('0A000', { routine: 'RevalidateCachedQuery' })],
  ['a prepared statement that its connection has lost', database('26000')],
  ['a lost connection', new Error('Connection terminated unexpectedly')],
  ['a statement without an answer', new Error('Query read timeout')],
  ['a pool that is used up', new Error('timeout exceeded when trying to connect')],
  ['a refused connection', failed({ code: 'ECONNREFUSED', syscall: 'connect' })],
  ['too many open files', failed({ code: 'EMFILE', syscall: 'socket' })],
  ['every address refused', new AggregateError([failed({ code: 'ECONNREFUSED' })])],
  ['an error that wraps one', new Error('outer', { cause: database('57P03') })],
  ['a statement of a connection that is out of step', new Error('Received unexpected dataRow message from backend.')],
  [
    'a request that fetch gave up',
    new TypeError('fetch failed', { cause: failed({ code: 'UND_ERR_HEADERS_TIMEOUT' }) }),
  ],
  ['a time limit of ours', new DOMException('late', 'TimeoutError')],
  ['a host that cannot be reached', failed({ code: 'EHOSTUNREACH' })],
  ['a socket that was closed meanwhile', failed({ code: 'ERR_STREAM_DESTROYED' })],
  ['a code that nobody knows', database('ZZ001')],
  ['several brokers that are away', new KafkaJSAggregateError('all', [new KafkaJSProtocolError(new Error('no'))])],
  ['a broker that is away', new KafkaJSProtocolError(new Error('NOT_LEADER'))],
  ['what the broker refuses', new KafkaJSNonRetriableError('no')],
])('%s is no fault of the event', (_name, error) => {
  expect(isTransient(error)).toBe(true);
});

test.each([
  ['a bug', new TypeError('x is undefined')],
  ['a value too long', database('22001')],
  ['a NUL in jsonb', database('22P05')],
  ['a constraint', database('23514')],
  ['a statement that does not parse', database('42601')],
  ['a five-letter code of another world', failed({ code: 'ABORT' })],
  ['no error at all', 'text'],
  ['nothing', undefined],
])('%s is the event’s own', (_name, error) => {
  expect(isTransient(error)).toBe(false);
});

/** One code of each class, and of those that do not follow their class. */
const examples: Record<string, [code: string, is: string]> = {
  '00': ['00000', 'success, which no error says'],
  '01': ['01000', 'a warning, which no error says'],
  '02': ['02000', 'no data, which no error says'],
  '03': ['03000', 'a statement that is not complete'],
  '08': ['08P01', 'a protocol violation on the connection'],
  '09': ['09000', 'a triggered action'],
  '0A': ['0A000', 'what this server cannot do'],
  '0B': ['0B000', 'a transaction that cannot begin'],
  '0F': ['0F001', 'a locator'],
  '0L': ['0LP01', 'an invalid grant'],
  '0P': ['0P000', 'a role that is gone'],
  '0Z': ['0Z002', 'stacked diagnostics'],
  '10': ['10608', 'an XQuery'],
  '20': ['20000', 'a case that is not there'],
  '21': ['21000', 'a row that one statement would change twice'],
  '22': ['22P05', 'a NUL in jsonb'],
  '23': ['23514', 'a check'],
  '24': ['24000', 'a cursor'],
  '25': ['25P04', 'a transaction that took too long'],
  '26': ['26000', 'a prepared statement that is gone'],
  '27': ['27000', 'a triggered change'],
  '28': ['28P01', 'a password that was changed'],
  '2B': ['2BP01', 'objects that depend on it'],
  '2D': ['2D000', 'a transaction that cannot end'],
  '2F': ['2F002', 'a function that may not write'],
  '34': ['34000', 'a cursor name'],
  '38': ['38000', 'a function that fails'],
  '39': ['39P01', 'a trigger that fails'],
  '3B': ['3B001', 'a savepoint that is gone'],
  '3D': ['3D000', 'a database that is gone'],
  '3F': ['3F000', 'a schema that is gone'],
  '40': ['40001', 'a serialisation failure'],
  '42': ['42601', 'a statement that does not parse'],
  '44': ['44000', 'a check of a view'],
  '53': ['53100', 'a disk that is full'],
  '54': ['54001', 'a nesting that is too deep'],
  '55': ['55P03', 'a lock not got'],
  '57': ['57P01', 'a server that shuts down'],
  '58': ['58030', 'an I/O error'],
  F0: ['F0001', 'a lock file'],
  HV: ['HV00N', 'a foreign server that is away'],
  P0: ['P0001', 'what a trigger raises'],
  XX: ['XX001', 'corrupted data'],
};

test('every class of SQLSTATE has an example below', () => {
  expect(Object.keys(examples).sort()).toEqual(Object.keys(classes).sort());
});

const world = '00 01 02 03 08 0B 24 25 26 2D 34 3B 40 53 55 57 58 HV XX'.split(' ');
const installation = '0A 0L 0P 28 2B 3D 3F F0'.split(' ');
test.each(Object.entries(examples).map(([name, [code, meaning]]) => [name, meaning, code] as const))(
  'class %s, as %s',
  (name, _is, code) => {
    const expected = world.includes(name) ? 'world' : installation.includes(name) ? 'installation' : 'event';
    expect(faultOf(database(code))).toBe(expected);
  },
);

test.each([...installationCodes])('%s is no fault of the event, unlike others of its class', (code) => {
  expect(faultOf(database(code))).toBe('installation');
});

test('what ends the session is never the event’s own, whatever its code', () => {
  expect(faultOf(database('22023'))).toBe('event');
  expect(faultOf(database('22023', { severity: 'FATAL' }))).toBe('installation');
  expect(faultOf(database('22023', { severity: 'PANIC' }))).toBe('installation');
});

test.each([
  ['a certificate that has expired', failed({ code: 'CERT_HAS_EXPIRED' })],
  ['a certificate of nobody', failed({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })],
  ['another host than the certificate says', failed({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })],
  ['a login that the server does not offer', new Error('SASL: Only mechanism(s) SCRAM-SHA-256 are supported')],
  ['a server without TLS', new Error('The server does not support SSL connections')],
])('%s is the installation’s', (_name, error) => {
  expect(faultOf(error)).toBe('installation');
  expect(isTransient(error)).toBe(true);
});

test('only a deadlock and a serialisation failure are lost races', () => {
  expect([database('40P01'), database('40001'), database('40002'), new Error('40001')].map(lostRace)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('a description never quotes what the database or a parser quotes', () => {
  expect(describe(database('22001', { table: 'contacts' }))).toEqual({
    code: '22001',
    detail: 'database error 22001 (contacts)',
  });
  let parsing: unknown;
  try {
    JSON.parse('{"email": kim@example.test}');
  } catch (error) {
    parsing = error;
  }
  expect(JSON.stringify(describe(parsing))).not.toContain('kim');
});

test('a description is short and printable, whatever was thrown', () => {
  const { detail } = describe(new Error(`a\u0000b${'x'.repeat(2_000)}`));
  expect(detail).toHaveLength(500);
  expect(detail.startsWith('a\ufffdb')).toBe(true);
  expect(describe('text')).toEqual({ code: 'error', detail: 'string' });
  expect(describe(undefined)).toEqual({ code: 'error', detail: 'undefined' });
});

test('the pause doubles up to its ceiling, however many attempts there were', () => {
  expect([0, 1, 2, 3, 10_000].map((attempt) => backoff(attempt, 200, 1_000))).toEqual([200, 400, 800, 1_000, 1_000]);
});
