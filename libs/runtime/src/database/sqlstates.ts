/**
 * The side that an error comes from. `world`: it passes, and the same work may succeed later. `installation`: it lasts until a
 * person repairs a right, a schema or a setting; the work is tried again, with errors in the log, until then. `event`: the
 * event's content, or the code that handles it, fails each time; it becomes a dead letter.
 */
export type Blame = 'world' | 'installation' | 'event';

/**
 * Every class of SQLSTATE of PostgreSQL 18 (manual, appendix A). Only classes that an event's content or a handling statement can
 * cause belong to the event. All others belong to the server, the session, the transaction or the set-up.
 */
export const classes: Readonly<Record<string, Blame>> = {
  '00': 'world',
  '01': 'world',
  '02': 'world',
  '03': 'world',
  '08': 'world',
  '09': 'event',
  '0A': 'installation',
  '0B': 'world',
  '0F': 'event',
  '0L': 'installation',
  '0P': 'installation',
  '0Z': 'event',
  '10': 'event',
  '20': 'event',
  '21': 'event',
  '22': 'event',
  '23': 'event',
  '24': 'world',
  '25': 'world',
  '26': 'world',
  '27': 'event',
  '28': 'installation',
  '2B': 'installation',
  '2D': 'world',
  '2F': 'event',
  '34': 'world',
  '38': 'event',
  '39': 'event',
  '3B': 'world',
  '3D': 'installation',
  '3F': 'installation',
  '40': 'world',
  '42': 'event',
  '44': 'event',
  '53': 'world',
  '54': 'event',
  '55': 'world',
  '57': 'world',
  '58': 'world',
  F0: 'installation',
  HV: 'world',
  P0: 'event',
  XX: 'world',
};

/** Codes of class 42 that mean that the schema or the rights differ from what the code expects, whatever the event holds. */
export const installationCodes: ReadonlySet<string> = new Set(['42501', '42P01', '42703', '42704', '42883']);

/**
 * The side that an error from Postgres comes from. An unknown code counts as the world's: if that is wrong, a partition pauses
 * and everybody sees it. The opposite error would set good events aside. An error that ends the session never comes from the
 * event.
 */
export function blameOf(code: string, severity: string): Blame {
  const blame = installationCodes.has(code) ? 'installation' : (classes[code.slice(0, 2)] ?? 'world');
  const sessionEnded = severity === 'FATAL' || severity === 'PANIC';
  return sessionEnded && blame === 'event' ? 'installation' : blame;
}
