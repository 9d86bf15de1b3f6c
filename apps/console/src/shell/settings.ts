/** What an operator sets, read once at start. */
export interface Settings {
  /** How long the answer to a stop waits until it is confirmed, in milliseconds. */
  readonly confirmMs: number;
}

/** Injection token of `Settings`. */
export const SETTINGS = Symbol('SETTINGS');

/** The command line gives up on an answer after 15 s. */
const longestMs = 10_000;

/** Reads the settings. Throws, naming the variable, where one cannot be used: the process must not start. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const given = env.CONTROL_CONFIRM_MS || '5000';
  const confirmMs = Number(given);
  if (!/^\d+$/.test(given) || confirmMs > longestMs)
    throw new Error(`CONTROL_CONFIRM_MS must be a whole number of milliseconds from 0 to ${longestMs}`);
  return { confirmMs };
}
