import { sep } from 'node:path';
import { decode } from './charset.js';
import type { ConfigFile } from './config-file.js';
import { FileTooLarge } from './own-file.js';

/** The functions of `node:fs` that are needed to read a folder. The caller provides them, because nothing here does I/O. */
export interface Folder {
  readdirSync(path: string, options: { recursive: true; encoding: 'utf8' }): string[];
  statSync(path: string): { isFile(): boolean; isDirectory(): boolean; readonly size: number };
  readFileSync(path: string): Uint8Array;
}

/** The largest configuration file, in bytes. Such files are written by hand. */
const maxFileBytes = 262_144;
/** The largest size of all files together, in bytes. They are published as one event of less than a megabyte, but may contain comments. */
const maxBytes = 8_388_608;
/** Far more than a real number of charters, plays and sequences, with one file for each. */
const maxFiles = 1_000;

/**
 * Every file under a folder, including those that are not configuration: `readConfig` reports each of them. A file that cannot be
 * read has the reason. Throws what `readdirSync` throws if the folder itself cannot be listed, and `FileTooLarge` if it has too
 * many files.
 */
export function readFolder(folder: string, fs: Folder): ConfigFile[] {
  const paths = fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(sep).join('/'))
    .filter((path) => !isHidden(path))
    .sort();
  if (paths.length > maxFiles)
    throw new FileTooLarge(`has ${paths.length} files and folders; at most ${maxFiles} are read`);
  const left = { bytes: maxBytes };
  return paths.flatMap((path) => readOne(path, `${folder}/${path}`, fs, left));
}

/** Files that an editor, git or a mounted volume stores beside the configuration. A hidden configuration file is not one of them. */
const isHidden = (path: string): boolean =>
  /(^|\/)\.[^/]*(\/|$)/.test(path) && !/(^|\/)\.[^/.][^/]*\.ya?ml$/i.test(path);

function readOne(path: string, full: string, fs: Folder, left: { bytes: number }): ConfigFile[] {
  try {
    const found = fs.statSync(full);
    if (found.isDirectory()) return /\.ya?ml$/i.test(path) ? [{ path, fault: 'is a folder, not a file' }] : [];
    if (!found.isFile()) return [{ path, fault: 'is no regular file' }];
    if (found.size > maxFileBytes)
      return [{ path, fault: `has ${found.size} bytes; at most ${maxFileBytes} are read` }];
    if (found.size > left.bytes)
      return [{ path, fault: `has ${found.size} bytes; of all files together at most ${maxBytes} are read` }];
    left.bytes -= found.size;
    const text = decode(Buffer.from(fs.readFileSync(full)));
    return [text.ok ? { path, text: text.text } : { path, fault: `cannot be read: ${text.fault.detail}` }];
  } catch (error) {
    return [{ path, fault: `cannot be read (${(error as { code?: string }).code ?? 'unknown'})` }];
  }
}
