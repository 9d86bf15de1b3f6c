import type { Envelope } from '@countersign/contracts';

/** A Kafka record as the runtime hands it on, with any content. */
export interface KafkaFact {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>;
  readonly value: Buffer | null;
  /** The broker's id of the topic, if it was made again since the record began. */
  readonly topicId?: string;
  /** The event, if its contract accepts it; absent if it could not be read. */
  readonly event?: Envelope;
}
