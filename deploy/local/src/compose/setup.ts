import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { auditorRole } from '@countersign/contracts';
import { type BrokerSettings, clusterId, serverProperties, storedPassword, urlFor } from '@countersign/servers';
import {
  credentialFiles,
  provisionInstallation,
  readInstallation,
  runFile,
  writeForClients,
  writePrivate,
} from '../start/installation.js';
import { plansOf, serviceLogins, servicePlans } from '../start/services.js';
import { layout } from './layout.js';

/** Where the setup finds and leaves things. */
export interface SetupPlace {
  /** Its own folder, with every secret of the installation. */
  readonly home: string;
  /** The folder with one folder for each service that receives files. */
  readonly handover: string;
  /** The folder that operators edit. */
  readonly config: string;
}

const adminName = 'admin';

/**
 * Makes the missing secrets of the installation and gives each service its own: Kafka its settings, Postgres the superuser's
 * password, each service the key files in its plan. Files have mode 0600. If root runs this, they belong to the user that reads
 * them.
 */
export function handOverSecrets(place: SetupPlace, broker: Omit<BrokerSettings, 'admin'>): void {
  const { deployment, secrets } = readInstallation(place.config, join(place.home, 'secrets'));
  const password = kafkaPassword(place);
  const cluster = join(place.home, 'cluster-id');
  if (!existsSync(cluster)) writePrivate(cluster, clusterId());
  hand(place, 'kafka', layout.kafka.uid, {
    'server.properties': serverProperties({ ...broker, admin: { username: adminName, password } }),
    'cluster-id': readFileSync(cluster, 'utf8'),
    scram: `SCRAM-SHA-256=[name=${adminName},password=${password}]`,
  });
  hand(place, 'postgres', layout.postgres.uid, { password: postgresPassword(place) });
  for (const plan of plansOf(deployment, servicePlans)) {
    const files = plan.secrets.map((variable) => secrets.files[variable] as string);
    hand(
      place,
      plan.name,
      layout.service,
      Object.fromEntries(files.map((f) => [basename(f), readFileSync(f, 'utf8')])),
    );
  }
}

/**
 * Brings a broker and a database that run to what the installation needs, and hands each service its logins as an `env` file
 * and the command line its `run.json` and the credentials of clients. Logins of the engines' own superusers default to those that were handed over.
 */
export async function setUp(place: SetupPlace, env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { KAFKA_BROKERS: bootstrap, DATABASE_URL: database } = env;
  if (!bootstrap) throw new Error('KAFKA_BROKERS is not set: host:port of the broker');
  if (!database) throw new Error('DATABASE_URL is not set: the database, as a superuser or as its owner');
  const { username, password } = new URL(database);
  const superuserUrl = password ? database : urlFor(database, decodeURIComponent(username), postgresPassword(place));
  const installation = readInstallation(place.config, join(place.home, 'secrets'));
  const databases = await provisionInstallation(installation, {
    bootstrap,
    admin: {
      username: env.KAFKA_ADMIN_USERNAME || adminName,
      password: env.KAFKA_ADMIN_PASSWORD || kafkaPassword(place),
    },
    superuserUrl,
    adopt: env.COUNTERSIGN_ADOPT?.split(',').map((word) => word.trim()),
  });
  const plans = plansOf(installation.deployment, servicePlans);
  for (const { name } of plans) {
    const access = databases.get(name);
    const login = installation.secrets.passwords[name];
    if (!access || !login) throw new Error(`${name} was given no login`);
    const own = { ...serviceLogins(name, login, access), INSTALLATION_ID: installation.own.id };
    const lines = Object.entries(own).map(([key, value]) => `${key}='${value}'\n`);
    hand(place, name, layout.service, { env: lines.join('') });
  }
  const run = runFile(installation, { bootstrap, url: ({ name, port }) => `http://${name}:${port}` }, plans);
  hand(place, 'countersign', layout.service, {});
  const credentials = credentialFiles(installation, databases.get(auditorRole));
  writeForClients(join(place.handover, 'countersign'), run, credentials, owned(layout.service));
}

const kafkaPassword = ({ home }: SetupPlace): string => storedPassword(join(home, 'kafka-admin-password'));
const postgresPassword = ({ home }: SetupPlace): string => storedPassword(join(home, 'postgres-password'));

/** Gives a file or folder to the user that reads it, if this runs as root. */
const owned =
  (uid: number) =>
  (path: string): void => {
    if (process.getuid?.() === 0) chownSync(path, uid, uid);
  };

function hand(place: SetupPlace, to: string, uid: number, files: Readonly<Record<string, string>>): void {
  const dir = join(place.handover, to);
  const own = owned(uid);
  mkdirSync(dir, { recursive: true });
  for (const [name, text] of Object.entries(files)) writePrivate(join(dir, name), text, own);
  chmodSync(dir, 0o700);
  own(dir);
}
