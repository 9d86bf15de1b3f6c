import { type Topic, topicConfig } from '@countersign/contracts';
import { type Admin, kafkajs } from '@countersign/kafka';
import { describe } from '../failures.js';

/** A setting of a topic, with its actual and its wanted value. */
export interface Difference {
  readonly topic: string;
  readonly setting: string;
  readonly is: string | undefined;
  readonly wanted: string;
}

/** A number must be at least the wanted one, and -1 means no limit. A word must be equal. */
const serves = (actual: string | undefined, wanted: string): boolean =>
  actual === wanted ||
  (actual !== undefined && /^\d+$/.test(wanted) && (actual === '-1' || Number(actual) >= Number(wanted)));

/** Settings of topics that differ from the topology. The topology's promises depend on these settings. */
export const differences = (
  topics: readonly Topic[],
  found: ReadonlyMap<string, ReadonlyMap<string, string>>,
): readonly Difference[] =>
  topics.flatMap((topic) =>
    Object.entries(topicConfig(topic)).flatMap(([setting, wanted]) => {
      const actual = found.get(topic.name)?.get(setting);
      return serves(actual, wanted) ? [] : [{ topic: topic.name, setting, is: actual, wanted }];
    }),
  );

/** The settings that were found, by topic, and those that differ from the topology. */
export interface Checked {
  readonly found: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly wrong: readonly Difference[];
}

/**
 * Checks the settings of topics. Reports each difference that `before` did not have, with its danger and the remedy. The service
 * goes on: its operator may not be able to change the setting at once, and a stop would lose more. If the settings cannot be
 * read, the previous result stays, and this is reported the first time.
 */
export async function checkSettings(
  admin: Admin,
  topics: readonly Topic[],
  log: { error(message: string): void; warn(message: string): void },
  before?: Checked,
): Promise<Checked> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map(({ name }) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
    });
    const found = new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      ]),
    );
    const wrong = differences(topics, found);
    const known = new Set(before?.wrong.map(differenceText));
    for (const detail of wrong.map(differenceText)) if (!known.has(detail)) log.error(detail);
    return { found, wrong };
  } catch (error) {
    if (before) return before;
    log.warn(
      `the settings of the topics were not looked at (${describe(error).detail}): this principal needs DescribeConfigs on them, see deploy/kafka/acls.tsv`,
    );
    return { found: new Map(), wrong: [] };
  }
}

/** The settings of the topics that a service uses, as the last check found them. */
export class TopicSettings {
  private checked: Checked | undefined;

  constructor(
    private readonly admin: Admin,
    private readonly topics: readonly Topic[],
    private readonly log: { error(message: string): void; warn(message: string): void },
  ) {}

  /** Checks now, and reports differences that were not reported before. */
  async look(): Promise<Checked> {
    this.checked = await checkSettings(this.admin, this.topics, this.log, this.checked);
    return this.checked;
  }

  /** Settings that differ from what the topology asks for. */
  wrong(): readonly Difference[] {
    return this.checked?.wrong ?? [];
  }
}

const differenceText = ({ topic, setting, is: actual, wanted }: Difference): string =>
  `${topic}: ${setting} is ${actual ?? 'not known'} and should be ${wanted}: ${endangers[setting] ?? 'see deploy/kafka/topics.tsv'}. ` +
  `Set it with kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${setting}=${wanted}`;

const endangers: Readonly<Record<string, string>> = {
  'message.timestamp.type':
    'records that name an old time are deleted by age before they are read, and a state can claim any version',
  'compression.type': 'the broker makes all that a compressed batch unpacks to on its heap, whatever its size',
  'cleanup.policy': 'records are deleted that are still needed',
  'retention.ms': 'records are deleted earlier than the recorder and the audit count on',
  'min.compaction.lag.ms': 'state may be compacted before it is read back',
};
