import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** A password of 192 random bits that needs no quoting anywhere. */
export function generatePassword(): string {
  return randomBytes(24).toString('base64url');
}

/** The password in a file of mode 0600, made at the first call. */
export function storedPassword(file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeFileSync(file, generatePassword(), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    chmodSync(file, 0o600);
  }
  const password = readFileSync(file, 'utf8').trim();
  if (password !== '') return password;
  writeFileSync(file, generatePassword(), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}
