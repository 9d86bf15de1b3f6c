import kafkajs from 'kafkajs';
import { expect, test } from 'vitest';
import { backoff, describe, isTransient, lostRace } from './failures.js';

const { KafkaJSNonRetriableError, KafkaJSProtocolError } = kafkajs;
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
  ['a missing table', database('42P01')],
  ['what the database cannot do', database('0A000')],
  ['a five-letter code of another world', failed({ code: 'ABORT' })],
  ['no error at all', 'text'],
  ['nothing', undefined],
])('%s is the event’s own', (_name, error) => {
  expect(isTransient(error)).toBe(false);
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
    says: 'database error 22001 (contacts)',
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
  const { says } = describe(new Error(`a\u0000b${'x'.repeat(2_000)}`));
  expect(says).toHaveLength(500);
  expect(says.startsWith('a\ufffdb')).toBe(true);
  expect(describe('text')).toEqual({ code: 'error', says: 'string' });
  expect(describe(undefined)).toEqual({ code: 'error', says: 'undefined' });
});

test('the pause doubles up to its ceiling, however many attempts there were', () => {
  expect([0, 1, 2, 3, 10_000].map((attempt) => backoff(attempt, 200, 1_000))).toEqual([200, 400, 800, 1_000, 1_000]);
});
