import {
  brokerOf,
  codeOf,
  credentialOf,
  Failure,
  gapsOf,
  ifThere,
  jsonOf,
  type OnProgress,
  type Session,
} from '@countersign/client';
import {
  ActionProposed,
  auditPrincipal,
  type DataOf,
  type Event,
  fromKafka,
  type KafkaRecord,
  keyOfProfile,
  Profile,
  profileKey,
  readEvent,
  type TaskAssigned,
  type Topic,
  topicNamed,
  topology,
} from '@countersign/contracts';
import { type Facts as GateFacts, readVerifyKeys, type TaskFact, taskFact } from '@countersign/gate';
import { type Leaf, parseVerifierKey, readEventBytes, readExport, verifyRecord } from '@countersign/record';
import pg from 'pg';
import { throwIfDenied } from './denied.js';
import { addProposed } from './facts.js';
import {
  type Chosen,
  type NoState,
  type Observed,
  type Place,
  placeName,
  type RecordSeen,
  type Reserved,
  type Sandbox,
  type Seen,
  type StateSeen,
} from './observed.js';
import { sampleOf, verdictsIn } from './sample.js';
import { readStored } from './stored.js';
import { readHeld } from './tables.js';
import { readTopics, sealedTopic, stateIn } from './topics.js';

/**
 * Looks at everything, backwards from effects to causes: connected systems and reservations first, then the topics, then the
 * record. So the cause of everything that is seen is read after it. What the validator stores about a verdict is read after the
 * verdict, because the validator publishes a verdict after storing it.
 */
export async function gather(
  s: Session,
  given: {
    readonly graceSeconds: number;
    readonly toleranceSeconds: number;
    readonly keys: unknown;
    /** How many verdicts to judge again. */
    readonly judge: number | 'all';
  },
  onProgress: OnProgress,
): Promise<Observed> {
  const { installation } = s;
  const kafka = brokerOf(installation, auditPrincipal);
  const keys = keysIn(given.keys);
  const deployment = s.deployment();
  const installed = topology(deployment);
  const database = ifThere(() => credentialOf(installation, 'auditor').databaseUrl, s.note);
  onProgress('reading the connected systems and the databases');
  const [sandbox, reserved, held] = await Promise.all([
    readSandbox(s),
    readReservations(database),
    readHeld(database, deployment, s.now()),
  ]);
  onProgress('reading the topics');
  const topics = await readTopics(kafka, installation.kafka?.bootstrap ?? '', installed);
  const at = s.now();
  const isForgotten = forgottenBy(installed, topics.written, at);
  const verdicts = verdictsIn(topics.seen);
  const chosen = await readStored(database, sampleOf(verdicts, given.judge), (read, total) =>
    onProgress('reading the facts of verdicts', read, total),
  );
  const wanted = profilesOf(chosen, topics.seen);
  const read = await readRecord(s, installed, isForgotten, wanted, onProgress);
  const { record, states, versions, noStates, forgotten, unstored, profilesThen } = read;
  // A topic that was made again has other records at the same places.
  const placed = ({ place, version }: Pick<StateSeen, 'place' | 'version'>) => `${placeName(place)} ${version}`;
  const onTopics = new Set([...topics.states, ...topics.noStates].map(placed));
  // A service that does not answer gives nothing; `status` reports it.
  const { gaps: missed } = await gapsOf(s);
  const { graceSeconds, toleranceSeconds } = given;
  return {
    at,
    participants: deployment,
    graceSeconds,
    toleranceSeconds,
    keys,
    sandbox,
    reserved,
    held,
    record,
    missed,
    ...topics,
    seen: [...topics.seen, ...states, ...forgotten],
    again: { verdicts: verdicts.length, chosen },
    profilesThen,
    states: [...topics.states, ...versions.filter((seen) => !onTopics.has(placed(seen)))],
    noStates: [...topics.noStates, ...noStates.filter((seen) => !onTopics.has(placed(seen)))],
    unseen: new Map(
      [...unstored].map(([topic, records]) => {
        const stateCount =
          topic === sealedTopic ? topics.states.filter(({ place }) => place.topic === topic).length : 0;
        return [topic, Math.max(0, records - stateCount)];
      }),
    ),
  };
}

function keysIn(jwks: unknown): Observed['keys'] {
  try {
    return readVerifyKeys(jwks);
  } catch (error) {
    throw new Failure(
      2,
      `the keys of the permits: ${error instanceof Error ? error.message : 'unreadable'}; see --keys`,
    );
  }
}

/** Null if there are no sandbox systems, or they show nothing to this person. */
async function readSandbox(s: Session): Promise<Sandbox | null> {
  const url = s.installation.urls['sandbox-systems'];
  const { person = '' } = s.installation;
  const token = ifThere(() => credentialOf(s.installation, 'person', person).sandboxToken, s.note);
  const get = async <T>(path: string): Promise<T> => {
    const headers = { authorization: `Bearer ${token ?? ''}` };
    const response = await fetch(`${url}/${path}`, { headers, signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return (await jsonOf(response)) as T;
  };
  const at = s.now();
  try {
    const [{ messages }, { tasks }] = await Promise.all([
      get<Pick<Sandbox, 'messages'>>('mailer/messages'),
      get<Pick<Sandbox, 'tasks'>>('crm/tasks'),
    ]);
    return { at, messages, tasks };
  } catch {
    return null;
  }
}

/** Null if this command may not read the database. */
async function readReservations(url: string | undefined): Promise<readonly Reserved[] | null> {
  if (url === undefined) return null;
  const limits = { connectionTimeoutMillis: 5_000, query_timeout: 60_000 };
  const client = new pg.Client({ connectionString: url, application_name: 'audit', ...limits });
  // The statement reports the error. An error without a listener would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{
      permit_id: string;
      issued_at: Date;
      ledger: string;
      amount: string;
      state: Reserved['state'];
    }>(
      `SELECT r.permit_id, p.at AS issued_at, r.ledger, r.amount, r.state
       FROM guardrail_validator.reservations r JOIN guardrail_validator.permits p USING (permit_id)`,
    );
    return rows.map((row) => ({
      permitId: row.permit_id,
      issuedAt: row.issued_at.toISOString(),
      ledger: row.ledger,
      amount: Number(row.amount),
      state: row.state,
    }));
  } catch (error) {
    throwIfDenied(error);
    return null;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** State topics lose overwritten versions; the record does not. What people and the gate depend on is read again from the record. */
const overwritten = ['consents.v1', 'controls.v1', 'policies.v1'];

/** Counts the records of state topics whose bytes the record does not have: it stores none of them, or they were already gone. */
function unstoredCounter(topics: readonly Topic[]) {
  const names = new Set(topics.filter(({ kind }) => kind === 'state').map(({ name }) => name));
  const ends = new Map<string, number>();
  const stored = new Map<string, number>();
  return {
    see: ({ topic, topicId = '', partition, offset }: Leaf, whole: boolean): void => {
      if (!names.has(topic)) return;
      const place = `${topic} ${topicId}/${partition}`;
      ends.set(place, Math.max(ends.get(place) ?? 0, Number(offset) + 1));
      if (whole) stored.set(topic, (stored.get(topic) ?? 0) + 1);
    },
    unstored: (): ReadonlyMap<string, number> =>
      new Map(
        [...names].map((name) => {
          const partitions = [...ends].filter(([place]) => place.startsWith(`${name} `));
          return [name, partitions.reduce((sum, [, end]) => sum + end, 0) - (stored.get(name) ?? 0)];
        }),
      ),
  };
}

/**
 * Collects the leaves of compacted topics that may be missing there: a later record has the same key, or removed the key. If the
 * record stores no bytes of a leaf, the leaf has no key here, and nothing is expected of it.
 */
function compaction(topics: readonly Topic[]) {
  const compacted = new Set(topics.filter(({ kind }) => kind === 'state').map(({ name }) => name));
  const newest = new Map<string, string>();
  const superseded = new Set<string>();
  const see = (leaf: { topic: string; partition: number; offset: string }, bytes: Uint8Array | null): void => {
    if (!compacted.has(leaf.topic)) return;
    const name = placeName(leaf);
    const event = bytes && readEventBytes(bytes);
    if (!event?.key || event.value === null) superseded.add(name);
    if (!event?.key) return;
    const key = `${leaf.topic}/${leaf.partition} ${Buffer.from(event.key).toString('hex')}`;
    const before = newest.get(key);
    if (before !== undefined) superseded.add(before);
    newest.set(key, name);
  };
  /** A topic that was made again has none of its former records. */
  const forget = (topic: string): void => {
    for (const name of superseded) if (name.startsWith(`${topic}/`)) superseded.delete(name);
    for (const key of newest.keys()) if (key.startsWith(`${topic}/`)) newest.delete(key);
  };
  return { see, superseded, forget };
}

/** The logs whose events the record stores completely. The audit follows events from one log to the next. */
const logsOf = (topics: readonly Topic[]): ReadonlyMap<string, Topic> =>
  new Map(
    topics
      .filter(({ name, kind }) => kind === 'log' && !name.startsWith('signals.inbound.'))
      .map((topic) => [topic.name, topic]),
  );

const day = 86_400_000;

/**
 * Whether a leaf's record is missing from its topic although it is young enough to be there: the topic was made again since, or
 * records were deleted by hand. Its event still counts, otherwise everything that resulted from it would seem lost. A leaf that was
 * appended after the topics were read at `at` is left out, because its causes may not be on the record yet.
 */
function forgottenBy(topics: readonly Topic[], written: Observed['written'], at: string) {
  const logs = logsOf(topics);
  const onTopics = new Map(written.map(({ place, sha256 }) => [placeName(place), sha256]));
  return (place: Place, sha256: string): boolean => {
    const topic = logs.get(place.topic);
    if (!topic || place.at > at || onTopics.get(placeName(place)) === sha256) return false;
    return Date.parse(place.at) > Date.parse(at) - topic.retentionDays * day;
  };
}

const versionOf = (profile: DataOf<'ProfileChanged'>): string => `${keyOfProfile(profile)} ${profile.version}`;

/** The versions of profiles on which verdicts depend and that are no longer on the topic. */
function profilesOf(chosen: readonly Chosen[], seen: readonly Seen[]): ReadonlySet<string> {
  const wanted = new Set<string>();
  for (const { stored } of chosen) {
    const { contacts, accounts, adAccounts } = (stored?.facts ?? {}) as Partial<GateFacts>;
    for (const [id, fact] of Object.entries(contacts ?? {})) wanted.add(`${profileKey.contact(id)} ${fact?.version}`);
    for (const [id, fact] of Object.entries(accounts ?? {})) wanted.add(`${profileKey.account(id)} ${fact?.version}`);
    for (const [id, fact] of Object.entries(adAccounts ?? {})) {
      wanted.add(`${profileKey.adAccount(id)} ${fact?.version}`);
      for (const [campaignId, campaign] of Object.entries(fact?.campaigns ?? {}))
        wanted.add(`${profileKey.campaign(id, campaignId)} ${campaign?.version}`);
    }
  }
  for (const { event } of seen)
    if (event.type === 'ProfileChanged') wanted.delete(versionOf(event.data as DataOf<'ProfileChanged'>));
  return wanted;
}

/** Verifies the record in one pass, and takes from it what the topics may have deleted. */
async function readRecord(
  s: Session,
  topics: readonly Topic[],
  isForgotten: (place: Place, sha256: string) => boolean,
  profiles: ReadonlySet<string>,
  onProgress: OnProgress,
): Promise<{
  record: RecordSeen;
  states: Seen[];
  versions: StateSeen[];
  noStates: NoState[];
  forgotten: Seen[];
  profilesThen: DataOf<'ProfileChanged'>[];
  unstored: ReadonlyMap<string, number>;
}> {
  const histories = new Map(topics.filter(({ name }) => overwritten.includes(name)).map((t) => [t.name, t]));
  const stateTopics = new Map(topics.filter(({ kind }) => kind === 'state').map((t) => [t.name, t]));
  const logs = logsOf(topics);
  const leaves = new Map<string, string | null>();
  const states: Seen[] = [];
  const versions: StateSeen[] = [];
  const noStates: NoState[] = [];
  const proposed = new Map<string, Set<string>>();
  const assigned = new Map<string, TaskFact>();
  const tasks = topicNamed('tasks.assigned.v1', topics);
  const forgotten: Seen[] = [];
  const profilesThen: DataOf<'ProfileChanged'>[] = [];
  const appended: string[] = [];
  const { see, superseded, forget } = compaction(topics);
  const { see: count, unstored } = unstoredCounter(topics);
  const ids = new Map<string, string | undefined>();
  try {
    onProgress('reading the record');
    const opened = await readExport(await s.audit.lines('/v1/record/export'));
    const signed = signedIn(opened.latest);
    let entries = 0;
    const tapped = async function* () {
      for await (const batch of opened.entries) {
        onProgress('reading and verifying the record', entries, Math.max(entries, signed));
        for (const entry of batch) {
          if ('checkpoint' in entry) continue;
          entries += 1;
          const { leaf, kept, bytes, at } = entry;
          // The present content of a topic belongs to the topic as it is now.
          if (leaf.topicId !== ids.get(leaf.topic)) {
            ids.set(leaf.topic, leaf.topicId);
            forget(leaf.topic);
            for (const name of leaves.keys()) if (name.startsWith(`${leaf.topic}/`)) leaves.delete(name);
          }
          const digest = kept === 'event' ? Buffer.from(leaf.sha256).toString('hex') : null;
          leaves.set(placeName(leaf), digest);
          appended.push(at);
          see(leaf, kept === 'event' ? (bytes ?? null) : null);
          if (kept === 'event' || kept === 'commitment') count(leaf, kept === 'event' && bytes !== undefined);
          // A leaf about records (a gap, a topic made again) is not itself a record.
          const written = digest !== null && bytes ? recordIn(bytes) : undefined;
          // This includes agents that are gone.
          if (written && leaf.topic.startsWith('actions.proposed.')) {
            const read = fromKafka(written);
            const proposal = read.ok ? ActionProposed.safeParse(read.event.data) : undefined;
            if (proposal?.success) addProposed(proposed, leaf.topic, proposal.data);
          }
          if (written && leaf.topic === tasks.name) {
            const read = readEvent(tasks, written);
            const task = read.ok ? (read.event.data as TaskAssigned) : undefined;
            // Like its readers: the first record of an id counts.
            if (task && !assigned.has(task.taskId)) assigned.set(task.taskId, taskFact(task));
          }
          if (written && leaf.topic === 'profiles.v1' && profiles.size > 0) {
            const read = fromKafka(written);
            const profile = read.ok ? Profile.safeParse(read.event.data) : undefined;
            if (profile?.success && profiles.has(versionOf(profile.data))) profilesThen.push(profile.data);
          }
          const { partition, offset } = leaf;
          const place = { topic: leaf.topic, partition, offset, at };
          const missing = digest !== null && isForgotten(place, digest);
          const ofState = written && stateTopics.get(leaf.topic);
          if (ofState) {
            // Appended a moment after the broker accepted it, which is near enough for a bound.
            const found = stateIn(ofState, place, { ...written, timestamp: String(Date.parse(at)) });
            versions.push(...found.states);
            noStates.push(...found.noStates);
          }
          const topic = histories.get(leaf.topic) ?? (missing ? logs.get(leaf.topic) : undefined);
          if (!topic || !written) continue;
          const read = readEvent(topic, written);
          if (read.ok) (missing ? forgotten : states).push({ place, event: read.event as Event });
        }
        yield batch;
      }
    };
    const { recordKey } = s.installation;
    const report = await verifyRecord({
      ...opened,
      entries: tapped(),
      ...(recordKey !== undefined && { keys: [parseVerifierKey(recordKey.trim())] }),
    });
    const { ok, size, confirmed, problems } = report;
    const where = (at: (typeof problems)[number]['at']): string =>
      at === 'record' ? '' : 'leaf' in at ? `leaf ${at.leaf}: ` : `checkpoint ${at.checkpoint}: `;
    const record: RecordSeen = {
      ok,
      size,
      confirmed,
      unconfirmedSince: appended[confirmed] ?? null,
      problems: problems.map(({ kind, at, detail }) => `${kind}: ${where(at)}${detail}`),
      leaves,
      superseded,
      proposed,
      assigned,
    };
    return { record, states, versions, noStates, forgotten, unstored: unstored(), profilesThen };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(2, `the record cannot be read to its end (${codeOf(error)})`);
  }
}

/** The number of entries according to the last checkpoint, for the progress. What it signs is verified elsewhere. */
const signedIn = (note: string | null | undefined): number => Number(note?.split('\n')[1] ?? 0) || 0;

function recordIn(bytes: Uint8Array): KafkaRecord {
  const { key, headers, value } = readEventBytes(bytes);
  const buffer = (part: Uint8Array | null): Buffer | null => (part === null ? null : Buffer.from(part));
  return {
    key: buffer(key),
    value: buffer(value),
    headers: Object.fromEntries(headers.map(([name, text]) => [name, buffer(text) ?? undefined])),
  };
}
