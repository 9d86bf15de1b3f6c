import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHarness, type Harness } from '@countersign/runtime/harness';
import { exportJWK, generateKeyPair } from 'jose';

/** Sets up the service's environment with its own keys and the shipped sources. Returns a function that deletes the files. */
export async function asShipped(): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'ingestion-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const { publicKey } = await generateKeyPair('ECDH-ES', { crv: 'X25519', extractable: true });
  Object.assign(process.env, {
    IDENTITY_KEY_FILE: file('identity', 'ab'.repeat(32)),
    CONTACT_POINTS_PUBLIC_KEY_FILE: file('points', JSON.stringify(await exportJWK(publicKey))),
    API_KEYS_FILE: file('keys', '{}'),
    SOURCES_FILE: fileURLToPath(new URL('../../../../deploy/config/sources.yaml', import.meta.url)),
  });
  return () => rmSync(folder, { recursive: true });
}

/** An instance of the service on this database, in the environment as it is now. */
export async function instanceOn(databaseUrl: string, at: string): Promise<Harness> {
  // The configuration of the sources is read when the module is loaded.
  const { SignalIngestionModule, spec } = await import('../module.js');
  return createHarness(SignalIngestionModule, spec, { databaseUrl, at });
}
