import { topicConfig, topicNamed, topology } from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import { makeTopicAgain } from '@countersign/testing';
import type { Installed } from '../flows/installation.js';

/** Lets somebody act on the broker of an installation as its administrator. */
async function asAdmin<R>(installed: Installed, act: (admin: kafkajs.Admin) => Promise<R>): Promise<R> {
  const { run, brokerAdmin } = installed;
  const admin = new kafkajs.Kafka({
    brokers: run.kafka.bootstrap.split(','),
    sasl: { mechanism: 'scram-sha-256', ...brokerAdmin },
    logLevel: kafkajs.logLevel.NOTHING,
  }).admin();
  await admin.connect();
  try {
    return await act(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Deletes a topic and makes it again, as a tool might. */
export const makeAgain = (installed: Installed, name: string): Promise<void> => {
  const described = topicNamed(name, topology(installed.run.deployment));
  return asAdmin(installed, (admin) =>
    makeTopicAgain(admin, { name, partitions: described.partitions, config: topicConfig(described) }),
  );
};
