import { deniedBy, kafkajs } from '@countersign/kafka';

import type { Limits } from './api/limits.js';
import { type Blame, blameOf } from './database/sqlstates.js';
import { printable } from './text.js';

const { KafkaJSError } = kafkajs;

/** System calls and sockets: the network, or the other side of it. */
const networkCodes = new Set(
  [
    'ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN',
    'ENETRESET ENOTCONN ERR_SOCKET_CLOSED ERR_SOCKET_CONNECTION_TIMEOUT ERR_STREAM_DESTROYED ERR_STREAM_WRITE_AFTER_END',
    'ERR_STREAM_PREMATURE_CLOSE',
  ].flatMap((line) => line.split(' ')),
);
/** Certificates and protocol of TLS, as Node and OpenSSL name them. */
const tls = /^(ERR_(TLS|SSL)_|CERT_|UNABLE_TO_|(DEPTH_ZERO_)?SELF_SIGNED_CERT|HOSTNAME_MISMATCH$)/;
/** Errors of pg without a code: a connection that is lost or out of step. */
const lostConnection =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end|Received unexpected \w+ message from backend)/;
/** Errors of pg without a code: the server and the settings do not agree on how to log in. */
const noLogin = /^(SASL: |The server does not support SSL|There was an error establishing an SSL)/;

/**
 * The side that an error comes from. The world: the database or broker is away or refuses, a system call failed, a race was lost.
 * The installation: a right, a schema, a certificate. Any error that is not known here comes from the event.
 */
export function faultOf(error: unknown): Blame {
  if (deniedBy(error)) return 'installation';
  if (error instanceof KafkaJSError) return 'world';
  if (!(error instanceof Error)) return 'event';
  const { code, syscall, cause, severity, errors } = error as Error & Partial<Record<string, unknown>>;
  if (typeof syscall === 'string' || lostConnection.test(error.message) || planOutdated(error)) return 'world';
  if (noLogin.test(error.message)) return 'installation';
  // One of our time limits, or the end of the process, stopped the work.
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'world';
  if (typeof code === 'string') {
    if (networkCodes.has(code) || code.startsWith('UND_ERR_')) return 'world';
    if (tls.test(code)) return 'installation';
    if (typeof severity === 'string' && /^[0-9A-Z]{5}$/.test(code)) return blameOf(code, severity);
  }
  // Of several attempts it is enough that one may succeed later.
  const within = Array.isArray(errors) && errors.length > 0 ? errors.map(faultOf) : cause ? [faultOf(cause)] : [];
  return within.find((blame) => blame === 'world') ?? within.find((blame) => blame === 'installation') ?? 'event';
}

/**
 * Whether the same work may succeed later. Then it is tried again and nothing is skipped. Any other error makes a dead letter.
 */
export const isTransient = (error: unknown): boolean => faultOf(error) !== 'event';

/** Whether only a race was lost, so that the batch runs again at once. */
export const lostRace = (error: unknown): boolean =>
  ['40001', '40P01'].includes((error as { code?: string }).code ?? '');

/**
 * Whether a prepared statement no longer fits: its table has other columns now, or its connection lost it, for example after a
 * value that the driver could not send. Another connection must try again.
 */
export const planOutdated = (error: unknown): boolean => {
  const { code, routine } = error as { code?: string; routine?: string };
  return code === '26000' || (code === '0A000' && routine === 'RevalidateCachedQuery');
};

/** Whether another connection may succeed: after an outdated plan, or if the server became read-only and has a successor. */
export const ofSession = (error: unknown): boolean =>
  planOutdated(error) || (error as { code?: string }).code === '25006';

/**
 * The part of an error that may stand in a log or a dead letter: its class and code. Messages of the database and of parsers
 * quote values.
 */
export function describe(error: unknown): { code: string; detail: string } {
  if (!(error instanceof Error)) return { code: 'error', detail: typeof error };
  const code = (error as { code?: unknown }).code;
  const fromDatabase = 'severity' in error && 'routine' in error;
  const place = (error as { constraint?: string; table?: string }).constraint ?? (error as { table?: string }).table;
  if (fromDatabase)
    return { code: String(code), detail: `database error ${String(code)}${place ? ` (${place})` : ''}` };
  if (error instanceof SyntaxError) return { code: error.name, detail: 'a text that cannot be parsed' };
  return { code: typeof code === 'string' ? code : error.name, detail: printable(error.message, 500) };
}

/**
 * The pause before work that failed with `error` is tried again. If a right is missing, a person has to act first, so the pause
 * grows longer.
 */
export const pauseAfter = (
  error: unknown,
  attempt: number,
  limits: Pick<Limits, 'backoffMs' | 'backoffMaxMs' | 'deniedBackoffMaxMs'>,
): number => backoff(attempt, limits.backoffMs, deniedBy(error) ? limits.deniedBackoffMaxMs : limits.backoffMaxMs);

/** A pause that doubles up to a maximum. `attempt` counts from 0. */
export const backoff = (attempt: number, first: number, longest: number): number =>
  Math.min(longest, first * 2 ** Math.min(attempt, 20));
