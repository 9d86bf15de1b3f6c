import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { offer } from '../flows/offer.js';
import { startPlayed } from '../flows/played.js';
import { receiver } from '../flows/receiver.js';
import { routeFirst } from '../flows/started.js';
import { screens, traceUrl } from './person.js';
import { identityProvider } from './provider.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** One installation for all files of a run, with the sample played, so that every page has something to show, and a second reviewer. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const hook = await receiver();
  const provider = await identityProvider();
  const folder = mkdtempSync(join(tmpdir(), 'countersign-people-'));
  const [lea, marc] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
  const people = [
    {
      sha256: sha256(lea),
      person: 'lea',
      roles: ['viewer', 'reviewer', 'operator', 'policy-owner', 'privacy-officer', 'auditor'],
    },
    { sha256: sha256(marc), person: 'marc', roles: ['viewer', 'reviewer'] },
  ];
  const file = join(folder, 'people.json');
  writeFileSync(file, JSON.stringify(people), { mode: 0o600 });
  // The list of people contains lea's token, so the token is made before the start, which uses an existing one.
  const configure = (config: string): void => {
    const secrets = join(config, '../secrets');
    mkdirSync(secrets, { recursive: true, mode: 0o700 });
    writeFileSync(join(secrets, 'console-token.json'), JSON.stringify({ token: lea }), { mode: 0o600 });
    // A system that never answers, so the outcome of an action there is unknown.
    const accounts = Object.keys(screens).map((screen) => `mute-${screen}`);
    routeFirst(config, [{ kinds: ['crm.create_task'], accounts, executor: 'action-executor', connector: 'webhook' }]);
  };
  const more = {
    console: { CONSOLE_TOKENS_FILE: file, TRACE_URL: traceUrl('{traceId}'), ...provider.environment },
    'action-executor': { CONNECTORS_FILE: hook.connectorsFile, CALL_TRIES: '3' },
  };
  const begin = async () => {
    const started = await startPlayed({ more }, configure);
    provider.open(started.running.run.http.console as string);
    return started;
  };
  const end = await offer(project, begin, { colleagueToken: marc, providerUrl: provider.environment.OIDC_ISSUER });
  return async () => {
    await end();
    await provider.close();
    await hook.close();
    rmSync(folder, { recursive: true, force: true });
  };
}
