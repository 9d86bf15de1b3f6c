import { spawn } from 'node:child_process';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { workspaceRoot } from '@countersign/servers';
import type { Bench } from '../figure.js';
import { ofProcess } from '../processes.js';
import type { System } from '../system/installation.js';
import type { Audit, Effects } from './balance.js';

/** The audit's answer, and what it took. */
export interface Audited {
  readonly audit: Audit;
  readonly seconds: number;
  readonly memoryBytes: number;
}

/** Runs `countersign audit invariants` as an operator does. Throws if it gives no answer. */
export async function auditOf(bench: Bench, { home }: System): Promise<Audited> {
  const began = performance.now();
  // It holds all events in memory. Node's own limit is too low for a million of them.
  const heapMb = Math.floor((freemem() * 0.8) / 2 ** 20);
  const child = spawn(
    process.execPath,
    [`--max-old-space-size=${heapMb}`, join(workspaceRoot, 'apps/cli/bin/countersign.mjs')].concat(
      'audit invariants --json'.split(' '),
    ),
    {
      env: { ...process.env, NO_COLOR: '1', COUNTERSIGN_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: bench.signal,
    },
  );
  let [out, err, memoryBytes] = ['', '', 0];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err = `${err}${text}`.slice(-2_000);
  });
  const look = setInterval(() => {
    memoryBytes = Math.max(memoryBytes, ofProcess(child.pid ?? 0).rssBytes);
  }, 200);
  try {
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (out === '') throw new Error(`the audit ended with exit status ${code} and no answer: ${err.trim()}`);
    return { audit: JSON.parse(out) as Audit, seconds: (performance.now() - began) / 1000, memoryBytes };
  } finally {
    clearInterval(look);
  }
}

/** What the CRM did and refused, by its own table: every answer under another key is another effect. */
export async function effectsIn({ query }: System): Promise<Effects> {
  const [row] = await query<Effects>(
    `SELECT count(*) FILTER (WHERE outcome = 'done')::float8 AS done,
       count(*) FILTER (WHERE outcome = 'rejected')::float8 AS rejected FROM sandbox_systems.answers WHERE system = 'crm'`,
  );
  return row ?? { done: 0, rejected: 0 };
}
