import kafkajs from 'kafkajs';
import { printable } from './text.js';

const { KafkaJSError } = kafkajs;

/**
 * What Postgres says of itself, its set-up or the transaction, never of the event (PostgreSQL manual, appendix A): connection,
 * authorisation, rollback, resources, operator, system, configuration, internal; then a missing right or database, a server that
 * became read-only, a transaction that stood idle, a lock not got.
 */
const transientClasses = ['08', '28', '40', '53', '57', '58', 'F0', 'XX'];
const transientCodes = new Set(['42501', '3D000', '25006', '25P03', '55P03']);
const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);
/** pg reports a lost connection without a code. */
const lostConnection =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

/**
 * Whether the same work may succeed later because the world, not the event, is at fault: database or broker away or refusing,
 * a system call that failed, a race lost. Everything else is the event's own, and makes it a dead letter.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof KafkaJSError) return true;
  if (!(error instanceof Error)) return false;
  const { code, syscall, cause } = error as { code?: unknown; syscall?: unknown; cause?: unknown };
  if (typeof syscall === 'string' || lostConnection.test(error.message) || planOutdated(error)) return true;
  if (typeof code === 'string') {
    if (networkCodes.has(code) || transientCodes.has(code)) return true;
    if (/^[0-9A-Z]{5}$/.test(code) && transientClasses.some((c) => code.startsWith(c))) return true;
  }
  if (error instanceof AggregateError) return error.errors.some(isTransient);
  return isTransient(cause);
}

/** Whether only a race was lost, so that the batch is rerun at once. */
export const lostRace = (error: unknown): boolean =>
  ['40001', '40P01'].includes((error as { code?: string }).code ?? '');

/**
 * Whether a prepared statement is of a table that has other columns by now, or its connection has lost it, as after a value that
 * the driver could not send: another connection is to try again.
 */
export const planOutdated = (error: unknown): boolean => {
  const { code, routine } = error as { code?: string; routine?: string };
  return code === '26000' || (code === '0A000' && routine === 'RevalidateCachedQuery');
};

/** What may be said of an error in a log or a dead letter: its class and code; messages of the database and of parsers quote values. */
export function describe(error: unknown): { code: string; says: string } {
  if (!(error instanceof Error)) return { code: 'error', says: typeof error };
  const code = (error as { code?: unknown }).code;
  const fromDatabase = 'severity' in error && 'routine' in error;
  const place = (error as { constraint?: string; table?: string }).constraint ?? (error as { table?: string }).table;
  if (fromDatabase) return { code: String(code), says: `database error ${String(code)}${place ? ` (${place})` : ''}` };
  if (error instanceof SyntaxError) return { code: error.name, says: 'a text that cannot be parsed' };
  return { code: typeof code === 'string' ? code : error.name, says: printable(error.message, 500) };
}

/** Doubling pause with a ceiling; `attempt` counts from 0. */
export const backoff = (attempt: number, first: number, longest: number): number =>
  Math.min(longest, first * 2 ** Math.min(attempt, 20));
