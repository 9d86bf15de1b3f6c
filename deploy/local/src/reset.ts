import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeBroker, removePostgres, workspaceRoot } from '@countersign/servers';

/** `npm run reset`: stops what a killed start left running and removes its state. Downloaded jars stay. */
const home = process.env.COUNTERSIGN_HOME || join(workspaceRoot, '.countersign');
if (existsSync(home)) {
  const id = join(home, 'secrets/installation-id');
  // A broker or database of somebody else that this start used stays marked, with an id that no installation has any more.
  const elsewhere = existsSync(id) && !(existsSync(join(home, 'kafka')) && existsSync(join(home, 'postgres')));
  const installation = elsewhere ? readFileSync(id, 'utf8').trim() : undefined;
  await removeBroker(join(home, 'kafka'));
  await removePostgres(join(home, 'postgres'));
  for (const name of ['secrets', 'logs', 'pids', 'run.json', 'credentials', 'sample.json'])
    rmSync(join(home, name), { recursive: true, force: true });
  process.stdout.write('Removed the broker, the database, secrets and logs. The next `npm start` begins anew.\n');
  if (installation !== undefined)
    process.stdout.write(
      `A broker or database of yours is left as it is, and belongs to installation ${installation}. To use it again: npm start -- --adopt ${installation}\n`,
    );
} else {
  process.stdout.write('Nothing to remove.\n');
}
