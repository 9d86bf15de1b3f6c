export { type Broker, type BrokerOptions, removeBroker, startBroker } from './broker.js';
export { kafkaImage } from './broker-engines.js';
export { heapOption } from './broker-limits.js';
export { type BrokerSettings, clusterId, serverProperties } from './broker-properties.js';
export { cacheDirectory, underLock, workspaceRoot } from './cache.js';
export { createTopics } from './create-topics.js';
export { boundsJar, canGetJars, findJava, kafkaJvm } from './kafka-jars.js';
export { type KafkaLogin, type KafkaUser, LoginRefused, usersRefused } from './kafka-wire.js';
export { assertPortFree, freePort, localPorts, PortTaken, portFor } from './ports.js';
export {
  type Postgres,
  type PostgresOptions,
  postgresImage,
  postgresSettings,
  removePostgres,
  startPostgres,
} from './postgres.js';
export { AlreadyRunning } from './process-record.js';
export { type AclWish, type KafkaWishes, type Provisioned, provision, type TopicWish } from './provision.js';
export {
  beginProvisioning,
  connectionsOf,
  type DatabaseAccess,
  type DatabaseReader,
  type DatabaseRole,
  type DatabaseWishes,
  provisionDatabase,
  urlFor,
} from './provision-database.js';
export { generatePassword, storedPassword } from './secrets.js';
export { type Exit, type ProcessSpec, type SupervisedProcess, superviseProcess } from './supervise.js';
