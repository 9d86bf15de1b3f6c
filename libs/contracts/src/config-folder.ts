import { sep } from 'node:path';
import { decode } from './charset.js';
import type { ConfigFile } from './config-file.js';

/** What of `node:fs` is needed to read a folder: given by the caller, since nothing here does I/O. */
export interface Folder {
  readdirSync(path: string, options: { recursive: true; encoding: 'utf8' }): string[];
  statSync(path: string): { isFile(): boolean; isDirectory(): boolean; readonly size: number };
  readFileSync(path: string): Uint8Array;
}

/** A file of the configuration is written by hand: a larger one is none. In bytes. */
const maxFileBytes = 262_144;

/**
 * Every file under a folder, those that are no configuration too: `readConfig` says so of each. One that cannot be read carries the
 * reason. Throws what `readdirSync` throws where the folder itself cannot be listed.
 */
export function readFolder(folder: string, fs: Folder): ConfigFile[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(sep).join('/'))
    .filter((path) => !isHidden(path))
    .sort()
    .flatMap((path) => readOne(path, `${folder}/${path}`, fs));
}

/** What an editor, git or a mounted volume keeps beside the files; a hidden configuration file is none of that. */
const isHidden = (path: string): boolean =>
  /(^|\/)\.[^/]*(\/|$)/.test(path) && !/(^|\/)\.[^/.][^/]*\.ya?ml$/i.test(path);

function readOne(path: string, full: string, fs: Folder): ConfigFile[] {
  try {
    const found = fs.statSync(full);
    if (found.isDirectory()) return /\.ya?ml$/i.test(path) ? [{ path, fault: 'is a folder, not a file' }] : [];
    if (!found.isFile()) return [{ path, fault: 'is no regular file' }];
    if (found.size > maxFileBytes)
      return [{ path, fault: `has ${found.size} bytes; at most ${maxFileBytes} are read` }];
    const text = decode(Buffer.from(fs.readFileSync(full)));
    return [text.ok ? { path, text: text.text } : { path, fault: `cannot be read: ${text.fault.says}` }];
  } catch (error) {
    return [{ path, fault: `cannot be read (${(error as { code?: string }).code ?? 'unknown'})` }];
  }
}
