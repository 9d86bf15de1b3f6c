import { layout } from './compose/layout.js';
import { handOverSecrets, setUp } from './compose/setup.js';

/*
 * The setup of `docker compose up`, in two steps: `secrets` before Kafka and Postgres start, `provision` when they answer. Both may
 * be run again: existing parts stay.
 */
const { home, handover, config, kafka } = layout;
const place = { home, handover, config };
const step = process.argv[2];
switch (step) {
  case 'secrets':
    handOverSecrets(place, {
      clients: [
        { name: 'CLIENT', bind: '0.0.0.0', advertise: 'kafka', port: kafka.port },
        { name: 'HOST', bind: '0.0.0.0', advertise: '127.0.0.1', port: kafka.host },
      ],
      controller: { bind: '127.0.0.1', port: kafka.controller },
      data: kafka.data,
    });
    process.stdout.write('everyone has the secrets it needs\n');
    break;
  case 'provision':
    await setUp(place, process.env);
    process.stdout.write('users, topics, permissions, schemas and roles are there\n');
    break;
  default:
    process.stderr.write(`setup: "secrets" or "provision" is expected, not "${step ?? ''}"\n`);
    process.exitCode = 2;
}
