import { createHash, randomUUID } from 'node:crypto';
import { chownSync, cpSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Postgres refuses to run as root. If root starts it, it runs as the user `nobody`. */
const nobody = 65534;

/** Where a Postgres of `dir` has its data and finds its programs, and the user as which it runs. */
export interface PostgresPlace {
  readonly data: string;
  readonly programs: string;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * For any user except root: `dir` and the installed programs. For root, whose home directory the user `nobody` may not enter: if
 * `nobody` cannot reach one of the two, it moves to /var/tmp, the programs as a copy. The mode of a directory that is not ours
 * never changes.
 */
export function placeFor(dir: string, native: string): PostgresPlace {
  mkdirSync(dir, { recursive: true });
  if (process.getuid?.() !== 0) return { data: join(dir, 'data'), programs: native, user: undefined };
  const home = reachable(dirname(dir)) ? dir : elsewhere(dir);
  own(home);
  return {
    data: join(home, 'data'),
    programs: reachable(native) ? native : copied(native),
    user: { uid: nobody, gid: nobody },
  };
}

/** Removes all data of a Postgres of `dir`, wherever it was. */
export function removePlace(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  if (process.getuid?.() === 0) rmSync(elsewhere(dir), { recursive: true, force: true });
}

function elsewhere(dir: string): string {
  return `/var/tmp/countersign-postgres-${digest(dir)}`;
}

function own(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const { uid } = lstatSync(dir);
  if (!lstatSync(dir).isDirectory() || (uid !== 0 && uid !== nobody))
    throw new Error(`${dir} belongs to somebody else`);
  chownSync(dir, nobody, nobody);
}

function copied(native: string): string {
  const copy = `/var/tmp/countersign-postgres-programs-${digest(`${native} ${statSync(native).mtimeMs}`)}`;
  if (existsSync(copy)) {
    if (lstatSync(copy).uid !== 0 || !lstatSync(copy).isDirectory())
      throw new Error(`${copy} belongs to somebody else`);
    return copy;
  }
  const partial = join(dirname(copy), `.${basename(copy)}.${randomUUID()}`);
  cpSync(native, partial, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(partial, copy);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

/** Whether the user `nobody` may enter a directory and all directories above it. */
function reachable(dir: string): boolean {
  const { mode, uid, gid } = statSync(dir);
  const bits = uid === nobody ? mode >> 6 : gid === nobody ? mode >> 3 : mode;
  return (bits & 1) === 1 && (dirname(dir) === dir || reachable(dirname(dir)));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
