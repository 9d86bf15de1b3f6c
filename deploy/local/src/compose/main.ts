import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeFile } from './compose-file.js';

/** The second half of `npm run generate`: writes `docker-compose.yml`; with `--check` it writes nothing and fails where it is stale. */
const file = join(process.cwd(), 'docker-compose.yml');
const wanted = composeFile();
if (existsSync(file) && readFileSync(file, 'utf8') === wanted) {
  process.stdout.write('docker-compose.yml is up to date\n');
} else if (process.argv.includes('--check')) {
  process.stdout.write('stale:\n  docker-compose.yml\n');
  process.exitCode = 1;
} else {
  writeFileSync(file, wanted);
  process.stdout.write('written:\n  docker-compose.yml\n');
}
