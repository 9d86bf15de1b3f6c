import { sep } from 'node:path';
import { decode } from './charset.js';
import type { ConfigFile } from './config-file.js';
import { FileTooLarge } from './own-file.js';

/** What of `node:fs` is needed to read a folder: given by the caller, since nothing here does I/O. */
export interface Folder {
  readdirSync(path: string, options: { recursive: true; encoding: 'utf8' }): string[];
  statSync(path: string): { isFile(): boolean; isDirectory(): boolean; readonly size: number };
  readFileSync(path: string): Uint8Array;
}

/** A file of the configuration is written by hand: a larger one is none. In bytes. */
const maxFileBytes = 262_144;
/** What is published of all files is one event of less than a megabyte; they may have comments. In bytes. */
const maxBytes = 8_388_608;
/** Far above an honest number of charters, plays and sequences, a file each. */
const maxFiles = 1_000;

/**
 * Every file under a folder, those that are no configuration too: `readConfig` says so of each. One that cannot be read carries the
 * reason. Throws what `readdirSync` throws where the folder itself cannot be listed, and `FileTooLarge` where it has too many files.
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

/** What an editor, git or a mounted volume keeps beside the files; a hidden configuration file is none of that. */
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
