import { type Topic, topicNamed } from '@countersign/contracts';
import type { Limits } from '../api/limits.js';
import type { Handle, Inbox } from '../inbox/inbox.js';
import type { PlacedRecord, RecordInbox } from '../inbox/record-inbox.js';
import { together } from '../inbox/together.js';
import type { Held } from '../kafka/consumer-options.js';
import type { Entry, RawRecord } from '../kafka/entries.js';
import type { StateWaits } from '../state/state-waits.js';

/** What happens with records of one partition. If it throws, they come again. */
export type Take = (records: readonly RawRecord[]) => Promise<Held | undefined>;

/** What happens with the records of each topic. Events of one topic share a transaction, also across partitions. */
export const takesToHandle = (
  handlers: ReadonlyMap<string, Handle>,
  deps: {
    readonly topics: readonly Topic[];
    readonly inbox: Pick<Inbox, 'entries' | 'process'>;
    readonly waits: Pick<StateWaits, 'handle'> | undefined;
    readonly limits: Pick<Limits, 'batchEvents'>;
  },
): ReadonlyMap<string, Take> =>
  new Map(
    [...handlers].map(([name, handle]) => {
      const topic = topicNamed(name, deps.topics);
      const read = (records: readonly RawRecord[]) => deps.inbox.entries(topic, records);
      const process = together(
        (entries: readonly Entry[]) => deps.inbox.process(topic, entries, handle),
        deps.limits.batchEvents,
      );
      const take: Take = async (records) => {
        if (deps.waits) return deps.waits.handle(name, records, read, process);
        await process(read(records));
        return undefined;
      };
      return [name, take];
    }),
  );

/** The same for a record consumer. Records of all topics share a transaction. */
export function takesToStore(
  recordInbox: Pick<RecordInbox, 'process'>,
  topics: readonly Topic[],
  limits: Pick<Limits, 'batchEvents'>,
): ReadonlyMap<string, Take> {
  const store = together((records: readonly PlacedRecord[]) => recordInbox.process(records), limits.batchEvents);
  const placed =
    (topic: Topic): Take =>
    async (records) => {
      await store(records.map((record) => ({ topic, record })));
      return undefined;
    };
  return new Map(topics.map((topic) => [topic.name, placed(topic)]));
}
