import { type Topic, topicNamed } from '@countersign/contracts';
import type { Limits } from '../api/limits.js';
import type { Handle, Inbox, Slice } from '../inbox/inbox.js';
import type { PlacedRecord, RecordInbox } from '../inbox/record-inbox.js';
import { together } from '../inbox/together.js';
import type { Held } from '../kafka/consumer-options.js';
import type { Entry, RawRecord } from '../kafka/entries.js';
import type { StateWaits } from '../state/state-waits.js';

/** What happens with records of one partition. If it throws, they come again. */
export type Take = (records: readonly RawRecord[]) => Promise<Held | undefined>;

/**
 * What happens with the records of each topic. Events of one topic share a transaction, also across partitions. The topics in `shares`
 * have one handler, and their events share a transaction too.
 */
export const takesToHandle = (
  handlers: ReadonlyMap<string, Handle>,
  deps: {
    readonly topics: readonly Topic[];
    readonly inbox: Pick<Inbox, 'entries' | 'processTogether'>;
    readonly waits: Pick<StateWaits, 'handle'> | undefined;
    readonly limits: Pick<Limits, 'batchEvents'>;
    readonly shares?: ReadonlySet<string>;
  },
): ReadonlyMap<string, Take> => {
  const shared = [...handlers].find(([name]) => deps.shares?.has(name));
  const processAll = (handle: Handle) =>
    together(
      (placed: readonly Placed[]) => deps.inbox.processTogether(slicesOf(placed), handle),
      deps.limits.batchEvents,
    );
  const processShared = shared && processAll(shared[1]);
  return new Map(
    [...handlers].map(([name, handle]) => {
      const topic = topicNamed(name, deps.topics);
      const read = (records: readonly RawRecord[]) => deps.inbox.entries(topic, records);
      const processPlaced = (deps.shares?.has(name) && processShared) || processAll(handle);
      const process = (entries: readonly Entry[]) => processPlaced(entries.map((entry) => ({ topic, entry })));
      const take: Take = async (records) => {
        if (deps.waits) return deps.waits.handle(name, records, read, process);
        await process(read(records));
        return undefined;
      };
      return [name, take];
    }),
  );
};

interface Placed {
  readonly topic: Topic;
  readonly entry: Entry;
}

/** By topic, in the order of their names, so that all batches lock in one order. */
function slicesOf(placed: readonly Placed[]): readonly Slice[] {
  const found = new Map<Topic, Entry[]>();
  for (const { topic, entry } of placed) {
    const entries = found.get(topic);
    if (entries) entries.push(entry);
    else found.set(topic, [entry]);
  }
  return [...found]
    .map(([topic, entries]) => ({ topic, entries }))
    .sort((a, b) => (a.topic.name < b.topic.name ? -1 : 1));
}

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
