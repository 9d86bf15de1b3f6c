import { heapOption, kafkaImage, postgresImage, postgresSettings } from '@countersign/servers';
import { Document, type YAMLMap } from 'yaml';
import { secretFiles } from '../start/secrets.js';
import {
  browserPlaces,
  type ServicePlan,
  sandboxUrlOf,
  serviceArguments,
  serviceEnvironment,
  servicePlans,
} from '../start/services.js';
import { layout } from './layout.js';

/** The image of all services, the setup and the command line; built from `deploy/docker/Dockerfile`. */
export const image = 'countersign:0.1.0';

/** Services that outside programs use. Each is bound to the loopback address of the machine. */
const published: readonly string[] = ['console', 'signal-ingestion', 'audit-recorder', 'sandbox-systems'];

/** Variables that a service takes from the environment of `docker compose`, if they are set there. */
const passedOn = (plan: ServicePlan): string[] => [
  ...(plan.name === 'sandbox-systems' ? [] : ['OTEL_EXPORTER_OTLP_ENDPOINT']),
  ...(plan.name.endsWith('-agent') ? ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL'] : []),
];

const { own, handover, home, kafka, postgres } = layout;
const healthy = { condition: 'service_healthy' };
const done = { condition: 'service_completed_successfully' };
const configuration = `./deploy/config:${layout.config}:ro`;
const folder = (service: string): string => `own-${service}`;

const ours = {
  image,
  build: { context: '.', dockerfile: 'deploy/docker/Dockerfile' },
  read_only: true,
  tmpfs: ['/tmp'],
  cap_drop: ['ALL'],
  security_opt: ['no-new-privileges:true'],
};

const serving = {
  ...ours,
  user: `${layout.service}:${layout.service}`,
  init: true,
  restart: 'unless-stopped',
  stop_grace_period: '30s',
  depends_on: { setup: done },
  healthcheck: {
    test: ['CMD', 'node', 'deploy/docker/health.mjs'],
    interval: '5s',
    timeout: '5s',
    retries: 3,
    start_period: '60s',
  },
};

const planOf = (name: string): ServicePlan => servicePlans.find((plan) => plan.name === name) as ServicePlan;

const service = (plan: ServicePlan): object => ({
  '<<': null,
  command: ['node', `--env-file=${own}/env`, ...serviceArguments(plan.name, layout.root)],
  environment: {
    ...serviceEnvironment(plan, {
      bootstrap: `kafka:${kafka.port}`,
      host: '0.0.0.0',
      config: layout.config,
      sandboxUrl: sandboxUrlOf(servicePlans, 'sandbox-systems'),
      ...browserPlaces((name) => {
        const { portVariable, port } = planOf(name);
        return `\${${portVariable}:-${port}}`;
      }),
      secretFile: (variable) => `${own}/${secretFiles[variable as keyof typeof secretFiles]}`,
    }),
    ...Object.fromEntries(passedOn(plan).map((variable) => [variable, null])),
  },
  volumes: [...(plan.name === 'sandbox-systems' ? [] : [configuration]), `${folder(plan.name)}:${own}:ro`],
  ...(published.includes(plan.name) && {
    ports: [`127.0.0.1:\${${plan.portVariable}:-${plan.port}}:${plan.port}`],
  }),
});

/** A step of the setup. It runs as root, with only the rights that it needs to give files to other users. */
const setup = (step: string, folders: readonly string[], more: object): object => ({
  ...ours,
  user: '0:0',
  cap_add: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'],
  restart: 'no',
  command: ['node', 'deploy/local/dist/setup.js', step],
  volumes: [configuration, `secrets:${home}`, ...folders.map((service) => `${folder(service)}:${handover}/${service}`)],
  ...more,
});

/** `docker-compose.yml`: what `npm start` starts, in containers. */
export function composeFile(): string {
  const names = servicePlans.map((plan) => plan.name);
  const file = {
    'x-service': serving,
    services: {
      secrets: setup('secrets', ['kafka', 'postgres', ...names], { network_mode: 'none' }),
      kafka: {
        image: kafkaImage,
        user: `${kafka.uid}:${kafka.uid}`,
        entrypoint: ['/bin/sh', '/etc/countersign/kafka.sh'],
        environment: { KAFKA_HEAP_OPTS: `${heapOption} -XX:+ExitOnOutOfMemoryError` },
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        restart: 'unless-stopped',
        stop_grace_period: '30s',
        depends_on: { secrets: done },
        healthcheck: {
          test: ['CMD', 'bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${kafka.port}`],
          interval: '3s',
          timeout: '5s',
          retries: 12,
          start_period: '60s',
        },
        volumes: [
          './deploy/docker/kafka.sh:/etc/countersign/kafka.sh:ro',
          './deploy/kafka/bounds/countersign-bounds.jar:/etc/countersign/bounds.jar:ro',
          `${folder('kafka')}:${own}:ro`,
          `kafka-data:${kafka.data}`,
        ],
        // Clients on this machine: upstreams and downstreams in any language.
        ports: ['127.0.0.1:29092:29092'],
      },
      postgres: {
        image: postgresImage,
        command: ['postgres', ...postgresSettings.flatMap((setting) => ['-c', setting])],
        environment: { POSTGRES_PASSWORD_FILE: `${own}/password` },
        security_opt: ['no-new-privileges:true'],
        shm_size: '256mb',
        restart: 'unless-stopped',
        stop_signal: 'SIGINT',
        stop_grace_period: '30s',
        depends_on: { secrets: done },
        healthcheck: {
          // Over TCP, because during the first initialization the server answers only on its socket.
          test: ['CMD', 'pg_isready', '-h', '127.0.0.1', '-U', 'postgres'],
          interval: '3s',
          timeout: '5s',
          retries: 12,
          start_period: '60s',
        },
        volumes: [`${folder('postgres')}:${own}:ro`, `postgres-data:${postgres.data}`],
      },
      setup: setup('provision', [...names, 'countersign'], {
        environment: {
          KAFKA_BROKERS: `kafka:${kafka.port}`,
          DATABASE_URL: `postgres://postgres@postgres:${postgres.port}/postgres`,
          COUNTERSIGN_ADOPT: null,
        },
        depends_on: { kafka: healthy, postgres: healthy },
      }),
      ...Object.fromEntries(servicePlans.map((plan) => [plan.name, service(plan)])),
      // `docker compose run --rm countersign …`: the command line, where every service can be reached.
      countersign: {
        ...ours,
        user: `${layout.service}:${layout.service}`,
        profiles: ['tools'],
        entrypoint: ['node', 'apps/cli/bin/countersign.mjs'],
        environment: { COUNTERSIGN_HOME: own },
        depends_on: { setup: done },
        volumes: [`${folder('countersign')}:${own}:ro`],
      },
    },
    volumes: Object.fromEntries(
      ['kafka-data', 'postgres-data', 'secrets', ...['kafka', 'postgres', ...names, 'countersign'].map(folder)].map(
        (volume) => [volume, {}],
      ),
    ),
  };
  const document = new Document(file, { merge: true, compat: 'yaml-1.1', aliasDuplicateObjects: false });
  const shared = document.get('x-service') as YAMLMap;
  for (const name of names) document.setIn(['services', name, '<<'], document.createAlias(shared, 'service'));
  document.commentBefore =
    ' Generated from deploy/local/src/compose; do not edit, run `npm run generate`. Read deploy/docker/README.md.';
  return document.toString({ lineWidth: 120, singleQuote: true });
}
