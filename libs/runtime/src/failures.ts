import kafkajs from 'kafkajs';

const { KafkaJSError } = kafkajs;

/** Postgres says by these classes that the server, not the statement, is at fault (PostgreSQL manual, appendix A). */
const transientClasses = ['08', '53', '57', '58'];
const transientCodes = new Set(['40001', '40P01', '25P03', '55P03']);
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);

/** Whether the same work may succeed later: the database or the broker is away, or a transaction lost a race. */
export function isTransient(error: unknown): boolean {
  if (error instanceof KafkaJSError) return true;
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') {
    if (networkCodes.has(code) || transientCodes.has(code)) return true;
    if (/^[0-9A-Z]{5}$/.test(code)) return transientClasses.some((c) => code.startsWith(c));
  }
  if (error instanceof AggregateError) return error.errors.some(isTransient);
  // pg reports a lost connection without a code.
  return /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed)/.test(
    error.message,
  );
}

/** Whether only a race was lost, so that the batch is rerun at once. */
export const lostRace = (error: unknown): boolean =>
  ['40001', '40P01'].includes((error as { code?: string }).code ?? '');

/** What may be said of an error in a log or a dead letter: its class and code; database messages can quote values. */
export function describe(error: unknown): { code: string; says: string } {
  if (!(error instanceof Error)) return { code: 'error', says: typeof error };
  const code = (error as { code?: unknown }).code;
  const fromDatabase = 'severity' in error && 'routine' in error;
  const place = (error as { constraint?: string; table?: string }).constraint ?? (error as { table?: string }).table;
  if (fromDatabase) return { code: String(code), says: `database error ${String(code)}${place ? ` (${place})` : ''}` };
  return { code: typeof code === 'string' ? code : error.name, says: error.message.slice(0, 500) };
}

/** Doubling pause with a ceiling; `attempt` counts from 0. */
export const backoff = (attempt: number, first: number, longest: number): number =>
  Math.min(longest, first * 2 ** Math.min(attempt, 20));
