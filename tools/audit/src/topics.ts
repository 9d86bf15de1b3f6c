import { Failure, readToEnds } from '@countersign/client';
import {
  aboveForeign,
  auditPrincipal,
  type Event,
  fromKafka,
  type KafkaRecord,
  readEvent,
  sha256,
  type Topic,
} from '@countersign/contracts';
import type { Admin, Kafka, KafkaMessage } from '@countersign/kafka';
import { eventBytes } from '@countersign/record';
import type { Inbound, NoState, Observed, Place, Seen, StateSeen, Written } from './observed.js';

type Read = Pick<Observed, 'seen' | 'inbound' | 'unreadable' | 'written' | 'states' | 'noStates' | 'ranges'>;

/** Only the executors may read it, and the recorder for its commitment. The audit uses only its place and version. */
export const sealedTopic = 'contact-points.v1';

/**
 * Reads every topic that the recorder may read, up to the ends at the time of the call. Stores no personal data. Throws a `Failure`
 * if a topic is not in the configuration: its content could not be read, and an audit without it would prove nothing.
 */
export async function readTopics(kafka: Kafka, bootstrap: string, topics: readonly Topic[]): Promise<Read> {
  const named = new Map(topics.map((topic) => [topic.name, topic]));
  const seen: Seen[] = [];
  const inbound: Inbound[] = [];
  const unreadable: { place: Place; fault: { code: string; detail: string } }[] = [];
  const written: Written[] = [];
  const states: StateSeen[] = [];
  const noStates: NoState[] = [];

  const take = (place: Place, message: KafkaMessage): void => {
    const record = { key: message.key, headers: message.headers ?? {}, value: message.value };
    written.push({ place, sha256: sha256(eventBytes(record)) });
    const topic = named.get(place.topic);
    // A topic of signals: its types are the upstreams'.
    if (topic?.types.length === 0) {
      const read = fromKafka(message);
      inbound.push({ place, source: read.ok ? read.event.source : null, id: read.ok ? read.event.id : null });
      return;
    }
    if (topic?.kind === 'state') {
      const found = stateIn(topic, place, message);
      states.push(...found.states);
      noStates.push(...found.noStates);
    }
    // A state that was removed has no value.
    if (!topic || place.topic === sealedTopic || (topic.kind === 'state' && message.value === null)) return;
    const read = readEvent(topic, message);
    if (read.ok) seen.push({ place, event: read.event as Event });
    else unreadable.push({ place, fault: read.fault });
  };

  // The broker names the topics that this principal may see: those of the configuration that it was started with.
  const visible = async (admin: Admin) => {
    const names = (await admin.listTopics()).filter(
      (name) => !name.startsWith('__') && name !== 'record.checkpoints.v1',
    );
    const strange = names.filter((name) => !named.has(name));
    if (strange.length === 0) return names;
    throw new Failure(
      2,
      `the audit may read ${strange.sort().join(', ')}, which the configuration does not name: ` +
        'set CONFIG_DIR to the folder that the services read, or start again where it has changed since the start',
    );
  };
  const ranges = await readToEnds(kafka, bootstrap, auditPrincipal, visible, (place, message) => {
    const at = new Date(Number(message.timestamp)).toISOString();
    take({ ...place, offset: message.offset, at }, message);
  });
  return { seen, inbound, unreadable, written, states, noStates, ranges };
}

/** The version that a record of a state topic gives its key; it is no state where its contract does not read it, as its readers. */
export function stateIn(
  topic: Topic,
  place: Place,
  record: KafkaRecord,
): { readonly states: readonly StateSeen[]; readonly noStates: readonly NoState[] } {
  if (record.key === null || record.value === null) return { states: [], noStates: [] };
  const key = record.key.toString();
  const read = readEvent(topic, record);
  if (!read.ok) {
    const version = versionIn(record.value.toString());
    const ahead = read.fault.code === 'version-ahead';
    return { states: [], noStates: version === undefined ? [] : [{ place, key, version, ahead }] };
  }
  const { version, changedAt, ...detail } = read.event.data as { version: number; changedAt: string };
  const seen: StateSeen = {
    ...{ place, key, version, changedAt, sha256: sha256(record.value), content: sha256(JSON.stringify(detail)) },
    aboveForeign: read.event.causationid === aboveForeign(topic.name, key, version - 1),
  };
  return { states: [seen], noStates: [] };
}

/** The version in a value that is otherwise unreadable. */
function versionIn(value: string): number | undefined {
  try {
    const { version } = JSON.parse(value) as { version?: unknown };
    return typeof version === 'number' && version > 0 ? version : undefined;
  } catch {
    return undefined;
  }
}
