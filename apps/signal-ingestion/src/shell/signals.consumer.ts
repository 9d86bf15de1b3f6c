import { type Fault, outputId, topicNamed, topics, topology } from '@countersign/contracts';
import {
  type Batch,
  type Cause,
  Consumes,
  causeOf,
  deployment,
  type PublishedEvent,
  type Received,
  type SetAside,
} from '@countersign/runtime';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { type Admission, admit } from '../core/admit.js';
import {
  type Admitted,
  type AppliedSignals,
  accountOf,
  applySignals,
  cameUnheld,
  goneAmong,
  type Known,
  keysOf,
  type Outcome,
  renamedBy,
} from '../core/apply-signals.js';
import { cleaned, factsOf, readable } from '../core/facts.js';
import type { Signal } from '../core/signal.js';
import { Store } from './profiles.repository.js';
import { renameJob } from './rename-account.job.js';
import { Secrecy } from './secrecy.js';
import { SETTINGS, type Settings } from './settings.js';

/** The topics on which signals arrive: those whose events are the canonical signals. */
const installed = deployment();
const everyTopic = topology(installed);
export const inboundTopics = installed.sources.map(({ name }) => topics.signalsInbound(name));

/** The configuration of each source, by its topic. */
const sources = new Map(installed.sources.map((source) => [topics.signalsInbound(source.name).name, source]));

/** A new signal in work: whether it was admitted, and the person or account that it names. */
interface Arrival {
  readonly received: Received;
  readonly signal: Signal;
  readonly cause: Cause;
  readonly admission: Admission;
  readonly leftOut: readonly Fault[];
}
type Admissible = Arrival & { readonly admission: Extract<Admission, { ok: true }> };

/** Turns inbound signals into profiles, consents, sealed contact points, and one accepted or rejected event each. */
@Controller()
export class Handlers {
  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(Store) private readonly store: Store,
    @Inject(Secrecy) private readonly secrecy: Secrecy,
  ) {}

  @Consumes(...inboundTopics)
  async onSignals(@Payload() batch: Batch): Promise<void> {
    const arrivals = batch.events.map((received) => this.arrival(received, batch.at));
    const admissible = arrivals.filter((a): a is Admissible => a.admission.ok);
    const { entries, known } = await this.meet(batch, admissible);
    const applied = applySignals(entries, known);
    const versions = await this.save(batch, admissible, known, applied);
    await this.rename(batch, admissible, known, applied);

    for (const arrival of arrivals) {
      if (!arrival.admission.ok) this.reject(batch, arrival, arrival.admission.fault);
    }
    for (const [i, arrival] of admissible.entries()) {
      const outcome = applied.outcomes[i];
      const entry = entries[i];
      if (!outcome || !entry) continue;
      if (outcome.ok) this.accept(batch, arrival, entry, madeFrom(outcome, versions));
      else this.reject(batch, arrival, outcome.fault);
    }
    for (const record of batch.setAside) this.rejectRecord(batch, record);
  }

  private arrival(received: Received, at: string): Arrival {
    // The runtime has checked the event by the contract of its topic: a canonical signal.
    const { signal, leftOut } = readable(cleaned(received.event as unknown as Signal));
    // Our chain begins with the signal, whatever chain the upstream was in.
    const cause = { ...causeOf(received), correlationid: signal.id };
    const declared = sources.get(received.topic)?.sends?.[signal.type];
    return { received, signal, cause, leftOut, admission: admit(signal, at, this.settings.admission, declared) };
  }

  /**
   * The contacts that the signals name, and what is known about them, locked. Another instance may have joined a contact into another one
   * after it was looked up here, or a restored table may lack the join. The contact's profile then shows this, and the contact is looked
   * up again.
   */
  private async meet(batch: Batch, admissible: readonly Admissible[]): Promise<{ entries: Admitted[]; known: Known }> {
    const outputs = admissible.map(({ cause }) => outputId('signal-ingestion', cause, 0));
    const published = await batch.published('id', outputs);
    const claims = admissible.map(({ signal }) => this.secrecy.identitiesOf(signal));
    const contactIds = outputs.map((id) => contactOf(published.get(id)));
    const identifies = (i: number): boolean => {
      const entry = admissible[i];
      return entry?.signal.type === 'ContactUpserted' && sources.get(entry.received.topic)?.identifies === true;
    };
    for (;;) {
      const { persons, joins } = await this.store.persons(batch.tx, claims, contactIds, identifies);
      const entries = admissible.map(({ signal, admission: { occurredAt } }, i): Admitted => {
        const joined = joins.get(i);
        return { signal, occurredAt, persons: persons[i] ?? [], ...(joined !== undefined && { joined }) };
      });
      const known = await this.load(batch, entries);
      const gone = goneAmong(entries, known.profiles);
      await this.store.join(batch.tx, gone.size > 0 ? gone : [...joins].map(([i, id]) => [id, persons[i]?.[0] ?? id]));
      if (gone.size === 0) return { entries, known };
    }
  }

  /** Loads everything that the signals may change, locked in one order: profiles, consents, contact points. */
  private async load(batch: Batch, entries: readonly Admitted[]): Promise<Known> {
    const keys = entries.map(keysOf);
    const profileKeys = keys.flatMap((k) => k.profiles);
    const profiles = present(await batch.ownState(topics.profiles, profileKeys));
    const consentKeys = keys.flatMap((k) => k.consents);
    const consents = present(await batch.ownState(topics.consents, consentKeys));
    const contactIds = new Set(keys.flatMap((k) => k.points));
    return { profiles, consents, points: await this.store.points(batch.tx, [...contactIds]) };
  }

  /** Writes the changes, once per key. Returns the versions that concern each signal, in the form of `madeFrom`. */
  private async save(
    batch: Batch,
    causes: readonly { readonly cause: Cause }[],
    known: Known,
    { profiles, consents, points, outcomes }: AppliedSignals,
  ): Promise<ReadonlyMap<string, number>> {
    const causeAt = (index: number): Cause => {
      const found = causes[index];
      if (!found) throw new RangeError(`no signal ${index} in this batch`);
      return found.cause;
    };
    const versions = new Map<string, number>();
    for (const [contactId, { value, by }] of consents) {
      const { entries, suppressions } = value;
      const version = batch.putState(causeAt(by), topics.consents, {
        key: contactId,
        data: { contactId, entries, suppressions },
      });
      versions.set(`consent:${contactId}`, version);
    }
    for (const [key, { value, by }] of profiles) {
      batch.putState(causeAt(by), topics.profiles, {
        key,
        data: value,
      });
    }
    // A report may leave its ad account unchanged, but its readers need both. This is no extra statement: the rows are held already.
    const concerned = outcomes.flatMap((outcome) => (outcome.ok ? outcome.profiles : []));
    for (const [key, { version }] of await batch.ownState(topics.profiles, concerned))
      versions.set(`profile:${key}`, version);

    const changes = new Map([...points].map(([id, { value, by }]) => [id, { value, cause: causeAt(by) }]));
    await this.store.changePoints(batch, known.points, changes);
    return versions;
  }

  /**
   * Schedules the job of each account that has a new name and no job yet. A contact that came to an account by a join always gets a job,
   * because the account is not held here: the account's own job may already have read its last contacts.
   */
  private async rename(
    batch: Batch,
    admissible: readonly Admissible[],
    known: Known,
    applied: AppliedSignals,
  ): Promise<void> {
    const renamed = new Map<string, Cause>();
    for (const { signal, cause } of admissible) {
      const accountId = renamedBy(signal, known.profiles);
      if (accountId !== undefined) renamed.set(accountId, cause);
    }
    for (const { accountId } of await this.store.renaming(batch.tx, [...renamed.keys()])) renamed.delete(accountId);
    for (const [accountId, by] of cameUnheld(known, applied)) {
      const cause = admissible[by]?.cause;
      if (cause) renamed.set(accountId, cause);
    }
    for (const [accountId, cause] of renamed) batch.schedule(cause, renameJob(accountId, cause, batch.at));
  }

  private accept(batch: Batch, arrival: Admissible, entry: Admitted, madeFrom: Record<string, number>): void {
    const { signal, admission, cause, leftOut } = arrival;
    const { occurredAt, triggers, quality } = admission;
    const accountId = accountOf(signal);
    const [contactId] = entry.persons;
    const adAccountId = signal.type === 'CampaignPerformanceReported' ? signal.data.adAccountId : undefined;
    batch.emit(cause, topics.signalsAccepted, {
      key: accountId ?? contactId ?? adAccountId ?? signal.id,
      data: {
        source: signal.source,
        signalId: signal.id,
        type: signal.type,
        occurredAt,
        receivedAt: batch.at,
        ...(accountId !== undefined && { accountId }),
        ...(contactId !== undefined && { contactId }),
        quality,
        triggers,
        facts: factsOf(signal),
        madeFrom,
        ...(entry.joined !== undefined && { joined: entry.joined }),
        ...(leftOut.length > 0 && { leftOut: [...leftOut] }),
      },
    });
  }

  private reject(batch: Batch, { signal, cause, received }: Arrival, fault: Fault): void {
    const { topic, partition, offset, sha256 } = received;
    const { source, id, type } = signal;
    this.emitRejected(batch, cause, { source, id, type, topic, partition, offset, sha256, fault });
  }

  /** A record that is no new signal: unreadable, or taken before. */
  private rejectRecord(batch: Batch, record: SetAside): void {
    this.emitRejected(batch, record.cause, {
      ...record,
      source: record.source ?? topicNamed(record.topic, everyTopic).source,
    });
  }

  private emitRejected(
    batch: Batch,
    cause: Cause,
    at: Pick<SetAside, 'topic' | 'partition' | 'offset' | 'sha256' | 'fault'> & {
      readonly source: string;
      readonly id?: string;
      readonly type?: string;
    },
  ): void {
    const { source, id, type, topic, partition, offset, sha256, fault } = at;
    batch.emit(cause, topics.signalsRejected, {
      key: source,
      data: {
        source,
        ...(id !== undefined && { signalId: id }),
        ...(type !== undefined && { type }),
        reasons: [fault],
        receivedAt: batch.at,
        topic,
        partition,
        offset,
        sha256,
      },
    });
  }
}

/** The contact that an accepted signal named, as published. */
const contactOf = (published: readonly PublishedEvent[] | undefined): string | undefined =>
  published?.flatMap((event) => (event.type === 'SignalAccepted' ? (event.data.contactId ?? []) : []))[0];

/** What is known for each key, without keys that were never written. */
const present = <D extends object>(rows: ReadonlyMap<string, { readonly data: D | null }>): Map<string, D> =>
  new Map([...rows].flatMap(([key, { data }]) => (data ? [[key, data] as const] : [])));

/** The versions that a signal made or was added to, as later events name them. */
function madeFrom(
  { profiles, consents }: Extract<Outcome, { ok: true }>,
  versions: ReadonlyMap<string, number>,
): Record<string, number> {
  const names = [...profiles.map((key) => `profile:${key}`), ...consents.map((id) => `consent:${id}`)];
  return Object.fromEntries(names.map((name) => [name, versions.get(name) ?? 0]));
}
