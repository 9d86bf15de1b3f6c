import { topicNamed } from '@countersign/contracts';
import type { JobKind, Recovery } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import type { Handle, Inbox } from '../inbox/inbox.js';
import type { Past } from '../inbox/past.js';
import type { RecordInbox } from '../inbox/record-inbox.js';
import { takeOver } from '../inbox/recovery.js';
import type { JobRunner } from '../jobs/jobs.js';
import type { RawRecord } from '../kafka/entries.js';
import { applyState } from '../state/state.js';
import type { Log } from './log.js';
import type { ServiceTopics } from './service-topics.js';
import type { StateTopics } from './state-topics.js';

/** The parts of an engine without consumers and timers, for tests: the batch protocol and the jobs, called by hand. */
export function byHand(deps: {
  readonly db: Database;
  readonly topics: ServiceTopics;
  readonly inbox: Inbox;
  readonly handlers: ReadonlyMap<string, Handle>;
  readonly recordInbox: RecordInbox | undefined;
  readonly state: StateTopics;
  readonly jobs: JobRunner;
  readonly past: Past;
  readonly now: () => string;
  readonly log: Log;
}) {
  const { db, inbox, handlers, recordInbox, jobs, now, log } = deps;
  const named = (name: string) => topicNamed(name, deps.topics.all);
  return {
    db,
    inbox: async (name: string, records: readonly RawRecord[]): Promise<void> => {
      const topic = named(name);
      if (recordInbox) await recordInbox.process(records.map((record) => ({ topic, record })));
      else await inbox.process(topic, inbox.entries(topic, records), handlers.get(name) ?? missing(name));
    },
    /** Events of several topics that one handler takes, as one batch. */
    inboxTogether: async (slices: readonly { readonly name: string; readonly records: readonly RawRecord[] }[]) => {
      const [first] = slices;
      const read = ({ name, records }: (typeof slices)[number]) => {
        const topic = named(name);
        return { topic, entries: inbox.entries(topic, records) };
      };
      if (first) await inbox.processTogether(slices.map(read), handlers.get(first.name) ?? missing(first.name));
    },
    readState: async (topic: string, records: readonly RawRecord[]): Promise<void> => {
      await applyState(db, named(topic), records, now(), log, { lookedUp: deps.topics.lookedUp.get(topic) });
    },
    readOwn: async (topic: string, records: readonly RawRecord[]) => deps.state.own?.catchUpWith(topic, records),
    runDue: (kind: JobKind<never>) => jobs.runDue(kind),
    startJobs: (kinds: readonly JobKind<never>[]) => {
      jobs.start(kinds);
      return () => jobs.stop();
    },
    takeOver: async (recovery?: Recovery): Promise<void> => {
      await db.transaction((tx) => takeOver(tx, recovery, now()));
      await deps.past.load();
    },
  };
}

const missing =
  (topic: string): Handle =>
  async () => {
    throw new Error(`no handler for ${topic}`);
  };
