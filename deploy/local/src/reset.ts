import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeBroker } from './broker.js';
import { workspaceRoot } from './cache.js';
import { removePostgres } from './postgres.js';

/** `npm run reset`: stops what a killed start left running and removes its state. Downloaded jars stay. */
const home = process.env.COUNTERSIGN_HOME ?? join(workspaceRoot, '.countersign');
if (existsSync(home)) {
  await removeBroker(join(home, 'kafka'));
  await removePostgres(join(home, 'postgres'));
  for (const name of ['secrets', 'logs', 'pids', 'run.json', 'sample.json'])
    rmSync(join(home, name), { recursive: true, force: true });
  process.stdout.write('Removed the broker, the database, secrets and logs. The next `npm start` begins anew.\n');
} else {
  process.stdout.write('Nothing to remove.\n');
}
