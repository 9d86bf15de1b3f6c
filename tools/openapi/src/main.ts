import 'reflect-metadata';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { artifactOf, documented } from './artifacts.js';

/** A part of `npm run generate`: writes the OpenAPI document of every service. */
const written: string[] = [];
for (const service of documented) {
  const { file, content } = await artifactOf(service);
  if (existsSync(file) && readFileSync(file).equals(Buffer.from(content))) continue;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  written.push(relative(process.cwd(), file));
}
process.stdout.write(
  written.length === 0
    ? 'every OpenAPI document is up to date\n'
    : `written:\n${written.map((file) => `  ${file}`).join('\n')}\n`,
);
