import { createRequire } from 'node:module';
import { withinBounds } from './batches.js';

/** A message of kafkajs that stands for a batch which is not read. */
export interface Refusable {
  readonly offset: string;
  /** Why the batch that this one stands for is refused, in words. No writer can set it: it is not of the wire. */
  refused?: string;
}

interface FetchResponse {
  decode(raw: Buffer): Promise<{
    readonly responses: readonly {
      readonly topicName: string;
      readonly partitions: readonly { readonly partition: number; readonly messages: readonly Refusable[] }[];
    }[];
  }>;
}

const bounded = new WeakSet<FetchResponse>();

/**
 * Lets kafkajs 2.2.4 read gzip, lz4 and zstd within `unpackBounds`. By itself it reads gzip without a bound, and one batch in another
 * codec stops its consumer for ever. A batch beyond a bound is one empty message with `refused`, at the batch's last offset. Repeats are
 * harmless.
 */
export function boundFetches(): void {
  const load = createRequire(import.meta.url);
  // Version 4 is the first with record batches, 11 the last that kafkajs speaks.
  for (let version = 4; version <= 11; version++) {
    const response = load(`kafkajs/src/protocol/requests/fetch/v${version}/response.js`) as FetchResponse;
    if (bounded.has(response)) continue;
    bounded.add(response);
    const decode = response.decode;
    response.decode = async (raw) => {
      const { answer, refused } = withinBounds(raw, version);
      const decoded = await decode(answer);
      if (refused.size > 0)
        for (const { topicName, partitions } of decoded.responses)
          for (const { partition, messages } of partitions)
            for (const message of messages) {
              const detail = refused.get(`${topicName}/${partition}/${message.offset}`);
              if (detail !== undefined) message.refused = detail;
            }
      return decoded;
    };
  }
}
