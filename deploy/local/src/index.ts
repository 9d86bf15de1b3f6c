export { type Broker, type BrokerOptions, removeBroker, startBroker } from './broker.js';
export { type BrokerPorts, kafkaImage } from './broker-engines.js';
export { cacheDirectory, workspaceRoot } from './cache.js';
export { type KafkaLogin, type KafkaUser, LoginRefused } from './kafka-wire.js';
export { assertPortFree, freePort, localPorts, PortTaken, portFor } from './ports.js';
export { type Postgres, type PostgresOptions, postgresImage, removePostgres, startPostgres } from './postgres.js';
export { AlreadyRunning } from './process-record.js';
export {
  type AclWish,
  type DatabaseAccess,
  type DatabaseRole,
  type DatabaseWishes,
  type KafkaWishes,
  type Provisioned,
  provision,
  provisionDatabase,
  type TopicWish,
} from './provision.js';
export { urlFor } from './provision-database.js';
export { generatePassword, keptPassword } from './secrets.js';
export type { RunFile } from './start/installation.js';
export { type Observation, type Observed, observe } from './start/observe.js';
export { type Running, type StartOptions, startEverything } from './start/running.js';
export { samplePorts } from './start/sample-ports.js';
export { type Exit, type ProcessSpec, type SupervisedProcess, superviseProcess } from './supervise.js';
