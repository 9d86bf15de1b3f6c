import type { TestProject } from 'vitest/node';
import { added } from './installation.js';
import { offer } from './offer.js';
import { receiver } from './receiver.js';
import { routeFirst, start, takePart } from './started.js';

/** One installation for all files of a run, started when the first of them asks for it and removed at the end of the run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const hook = await receiver();
  const begin = () =>
    start({ more: { 'action-executor': { CONNECTORS_FILE: hook.connectorsFile } } }, (config) => {
      takePart(config, added);
      routeFirst(config, [
        {
          kinds: ['crm.create_task'],
          accounts: ['hook-gmbh', 'mute-gmbh'],
          executor: 'action-executor',
          connector: 'webhook',
        },
      ]);
    });
  const end = await offer(project, begin, { hook: { url: hook.url, secret: hook.secret } });
  return async () => {
    await end();
    await hook.close();
  };
}
