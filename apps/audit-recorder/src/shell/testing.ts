import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHarness, type Harness } from '@countersign/runtime/harness';
import type { KafkaFact } from '../core/record.js';
import { AuditRecorderModule, spec } from '../module.js';

export const start = '2026-11-21T10:00:00.000Z';
export const tokens = { lea: 'token-of-lea', kim: 'token-of-kim' } as const;

const sha = (token: string): string => createHash('sha256').update(token).digest('hex');

/** The files that the recorder's environment names; `remove` deletes them. */
export function secrets(): { remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'audit-recorder-'));
  const file = (variable: string, content: string): void => {
    const path = join(folder, variable.toLowerCase());
    writeFileSync(path, content, { mode: 0o600 });
    process.env[variable] = path;
  };
  const { privateKey } = generateKeyPairSync('ed25519');
  file('CHECKPOINT_SIGNING_KEY_FILE', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  file('COMMITMENT_KEY_FILE', `${'5e'.repeat(32)}\n`);
  file(
    'AUDIT_TOKENS_FILE',
    JSON.stringify([
      { sha256: sha(tokens.lea), person: 'lea', roles: ['auditor'] },
      { sha256: sha(tokens.kim), person: 'kim', roles: ['operator'] },
    ]),
  );
  return { remove: () => rmSync(folder, { recursive: true }) };
}

/** A recorder with a real database and no broker. */
export interface Recorder extends Harness {
  /** Appends records in the given order; each batch is of one topic. */
  append(facts: readonly KafkaFact[]): Promise<void>;
  /** Signs everything that has been appended so far. */
  sign(): Promise<void>;
  get(path: string, token?: string): Promise<{ status: number; type: string; body: string }>;
  /** The export's lines. */
  exported(): Promise<string[]>;
}

export async function recorder(databaseUrl: string, env: Record<string, string> = {}): Promise<Recorder> {
  const harness = await createHarness(AuditRecorderModule, spec, { databaseUrl, at: start, env });
  let now = Date.parse(start);
  const get: Recorder['get'] = async (path, token) => {
    const reply = await harness.app.inject({
      method: 'GET',
      url: path,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    return { status: reply.statusCode, type: String(reply.headers['content-type']), body: reply.body };
  };
  return Object.assign(harness, {
    append: async (facts: readonly KafkaFact[]) => {
      for (const [topic, batch] of Map.groupBy(facts, (fact) => fact.topic)) {
        await harness.deliverRecords(topic, batch as never);
      }
    },
    sign: async () => {
      now += 2_000;
      harness.setNow(new Date(now).toISOString());
      await harness.runJobs();
    },
    get,
    exported: async () => (await get('/v1/record/export', tokens.lea)).body.trimEnd().split('\n'),
  });
}
