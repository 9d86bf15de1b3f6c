import type { Envelope } from '@countersign/contracts';

/** A Kafka record as the runtime hands it out, whatever it holds. */
export interface KafkaFact {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>;
  readonly value: Buffer | null;
  /** The broker's id of the topic, where it was made again since the record began. */
  readonly topicId?: string;
  /** Checked by its contract; absent where it could not be read. */
  readonly event?: Envelope;
}
