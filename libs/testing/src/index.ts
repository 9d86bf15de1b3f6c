export { freePort } from '@countersign/servers';
export {
  type BrokerForTests,
  type BrokerWishes,
  type KafkaAccess,
  type SharedBroker,
  sharedBroker,
  startTestBroker,
  type TestBroker,
} from './broker.js';
export { type SetClock, setClock } from './clock.js';
export { type LossyWay, lossyWay } from './lossy-way.js';
export { costlyParts } from './plans.js';
export {
  copyTestDatabase,
  createTestDatabase,
  dropTestDatabase,
  type Preparation,
  startTestPostgres,
  type TestDatabase,
  type TestPostgres,
} from './postgres.js';
export { temporaryDirectory, uniqueName } from './temporary.js';
export { makeTopicAgain } from './topics.js';
