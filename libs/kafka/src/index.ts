import kafkajs from 'kafkajs';

export type {
  Admin,
  Batch,
  Consumer,
  ConsumerCrashEvent,
  ConsumerEndBatchProcessEvent,
  ConsumerGroupJoinEvent,
  EachBatchPayload,
  IHeaders,
  ITopicConfig,
  Kafka,
  KafkaConfig,
  KafkaMessage,
  Message,
  Producer,
  SASLOptions,
} from 'kafkajs';
export { committedOnly } from './committed-only.js';
export { reportDenials } from './denials.js';
export { deniedBy } from './denied.js';
export { type UnpackBounds, unpackBounds } from './fetch/batches.js';
export { boundFetches, type Refusable } from './fetch/bound-fetches.js';
export { endFetches, idleFetches } from './idle-fetches.js';
export { askAgain, noLeaderYet, untilLed } from './no-leader.js';
export { quietQueue } from './quiet-queue.js';
export { type TopicFacts, type TopicLook, topicFacts } from './topic-ids.js';
/** kafkajs 2.2.4. Only this package imports it, so that its faults are known and corrected in one place. */
export { kafkajs };
