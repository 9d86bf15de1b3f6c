#!/usr/bin/env node
// The command line is built by `npm start`, `npm test` or `npm run build`; say so instead of a stack trace.
import { existsSync } from 'node:fs';

const built = new URL('../dist/main.js', import.meta.url);
if (!existsSync(built)) {
  process.stderr.write('countersign: not built yet. Run `npm run build` (or `npm start`) in the project first.\n');
  process.exit(2);
}
await import(built.href);
