import { createRequire } from 'node:module';
import { withinBounds } from './batches.js';

/** A message of kafkajs that represents a batch which is not read. */
export interface Refusable {
  readonly offset: string;
  /** Why the batch that this message represents is refused, in words. No writer can set it, because it is not part of the protocol. */
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
 * Lets kafkajs 2.2.4 read gzip, lz4 and zstd within `unpackBounds`. Without this, it reads gzip without a bound, and one batch in
 * another codec stops its consumer for ever. A batch beyond a bound becomes one empty message with `refused`, at the batch's last
 * offset. Repeated calls are harmless.
 */
export function boundFetches(): void {
  const load = createRequire(import.meta.url);
  // Version 4 is the first with record batches; 11 is the last that kafkajs speaks.
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
