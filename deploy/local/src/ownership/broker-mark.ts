import { randomUUID } from 'node:crypto';
import { type Admin, type Kafka, kafkajs, untilLed } from '@countersign/kafka';
import { createTopics, type KafkaUser, usersRefused } from '@countersign/servers';
import { type BrokerClaim, type Found, ownerOf } from './judge.js';

/** The topic that names the owner of a broker. Only the administrator may read and write it. */
export const claimsTopic = 'countersign.installation';

/** A broker as its administrator reaches it. */
export interface BrokerAccess {
  readonly bootstrap: string;
  readonly admin: { readonly username: string; readonly password: string };
}

/** Reads what a broker says about its owner. Changes nothing. */
export async function lookAtBroker(
  access: BrokerAccess,
  topics: readonly string[],
  users: readonly KafkaUser[],
): Promise<Found['broker']> {
  return withAdmin(access, async (admin, kafka) => {
    const { clusterId } = await admin.describeCluster();
    const existing = new Set(await admin.listTopics());
    const owner = existing.has(claimsTopic) ? ownerOf(await readClaims(admin, kafka)) : undefined;
    const used = topics.some((topic) => existing.has(topic));
    // This is asked only if it decides. A principal that is new in this version may be missing.
    const proves = async (): Promise<boolean> =>
      (await usersRefused(access.bootstrap.split(',')[0]?.trim() as string, users)).length < users.length;
    return {
      at: access.bootstrap,
      clusterId,
      owner,
      topics: used,
      knowsUs: owner === undefined && used && (await proves()),
    };
  });
}

/**
 * Claims a broker in place of `replaces`, which is null if the broker has no owner. If two installations claim at the same time,
 * the broker's own order decides. Returns the present owner.
 */
export async function claimBroker(access: BrokerAccess, claim: BrokerClaim): Promise<BrokerClaim | undefined> {
  return withAdmin(access, async (admin, kafka) => {
    await createTopics(admin, [
      {
        topic: claimsTopic,
        numPartitions: 1,
        replicationFactor: 1,
        configEntries: Object.entries({
          'cleanup.policy': 'delete',
          'retention.ms': '-1',
          'retention.bytes': '-1',
          'compression.type': 'uncompressed',
        }).map(([name, value]) => ({ name, value })),
      },
    ]);
    const producer = kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    try {
      await producer.send({ topic: claimsTopic, acks: -1, messages: [{ key: 'owner', value: JSON.stringify(claim) }] });
    } finally {
      await producer.disconnect();
    }
    return ownerOf(await readClaims(admin, kafka));
  });
}

/** Every claim up to the topic's end, in order. Other records are ignored. */
async function readClaims(admin: Admin, kafka: Kafka): Promise<readonly BrokerClaim[]> {
  const [partition] = await untilLed(() => admin.fetchTopicOffsets(claimsTopic));
  const end = BigInt(partition?.high ?? 0);
  if (end <= BigInt(partition?.low ?? 0)) return [];
  const groupId = `countersign.installation.${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false });
  const claims: BrokerClaim[] = [];
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [claimsTopic], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      let next = 0n;
      consumer.on('consumer.crash', ({ payload }) => {
        if (!payload.restart) reject(payload.error);
      });
      consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch, resolveOffset }) => {
            for (const { offset, value } of batch.messages) {
              if (BigInt(offset) < next) continue;
              next = BigInt(offset) + 1n;
              const claim = claimOf(value);
              if (claim) claims.push(claim);
              resolveOffset(offset);
            }
            if (BigInt(batch.lastOffset()) + 1n >= end) resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  // The group is of no further use. The broker stores an empty group for a while, which harms nobody.
  await admin.deleteGroups([groupId]).catch(() => undefined);
  return claims;
}

function claimOf(value: Buffer | null): BrokerClaim | undefined {
  try {
    const { id, place, at, replaces } = JSON.parse(String(value)) as Record<string, unknown>;
    if (typeof id !== 'string' || id === '') return undefined;
    return { id, place: String(place), at: String(at), replaces: typeof replaces === 'string' ? replaces : null };
  } catch {
    return undefined;
  }
}

async function withAdmin<R>(access: BrokerAccess, use: (admin: Admin, kafka: Kafka) => Promise<R>): Promise<R> {
  const kafka = new kafkajs.Kafka({
    clientId: 'countersign-installation',
    brokers: access.bootstrap.split(',').map((broker) => broker.trim()),
    sasl: { mechanism: 'scram-sha-256', ...access.admin },
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin, kafka);
  } finally {
    await admin.disconnect();
  }
}
