import { topics as allTopics, type Fault, readEvent, sha256, type Topic, topicNamed } from '@countersign/contracts';
import { type Batch, causeOf, type Received } from '../api/runtime.js';
import { describe, isTransient } from '../failures.js';
import { JOBS, jobAgain } from '../jobs/job-letters.js';
import { textFault } from '../kafka/entries.js';
import { causeKey } from '../outbox/unit-of-work.js';
import { batchOf, unitOf } from './batch.js';
import type { Handle } from './inbox.js';

interface DeadRow {
  dead_letter_id: string;
  topic: string;
  id: string | null;
  type: string | null;
  partition: number;
  offset: number;
  key: string | null;
  headers: Record<string, string>;
  value: Buffer | null;
  erased_at: Date | string | null;
  at: Date;
  attempts: number;
  status: 'dead' | 'replayed';
  /** Letters from before this column have no value. */
  taken_at: Date | null;
}

/**
 * Handles a service's dead events again, on a person's order. It uses the current contract and code, in a savepoint: an event
 * that fails again stays dead, with its new reason, and holds up nothing. The result of an order is published on the service's
 * dead-letter topic, with the order as its cause.
 */
export async function replay(
  batch: Batch,
  service: string,
  topics: readonly Topic[],
  handlers: ReadonlyMap<string, Handle>,
  log: { log(message: string): void; warn(message: string): void },
): Promise<void> {
  for (const { event } of batch.events) {
    const order = event.data as { deadLetterId: string; service: string; at: string };
    if (order.service !== service) continue;
    const { deadLetterId } = order;
    const report = (outcome: 'handled' | 'scheduled' | 'failed', attempts: number, fault?: Fault): void => {
      const data = {
        deadLetterId,
        service,
        orderedAt: order.at,
        outcome,
        attempts,
        at: batch.at,
        ...(fault && { fault }),
      };
      batch.emit(causeOf({ event }), allTopics.deadLetters(service), {
        type: 'ReplayEnded',
        key: deadLetterId,
        subject: deadLetterId,
        data,
      });
    };
    const [row] = await batch.tx.query<DeadRow>('SELECT * FROM dead_letters WHERE dead_letter_id = $1 FOR UPDATE', [
      deadLetterId,
    ]);
    if (!row) {
      log.warn(`dead letter ${deadLetterId}: not here`);
      report('failed', 0, { code: 'not-here', detail: `${service} does not have it any more` });
      continue;
    }
    if (row.status !== 'dead') {
      log.warn(`dead letter ${deadLetterId}: replayed before`);
      report(row.topic === JOBS ? 'scheduled' : 'handled', row.attempts);
      continue;
    }
    if (row.topic === JOBS) {
      const again = jobAgain(row, batch.at);
      if (again) batch.schedule(again.cause, again.job);
      await batch.tx.query(`UPDATE dead_letters SET status = 'replayed' WHERE dead_letter_id = $1`, [deadLetterId]);
      report(again ? 'scheduled' : 'handled', row.attempts);
      const what = `job ${row.type} ${row.id}`;
      if (again) log.log(`dead letter ${deadLetterId}: ${what} is scheduled again`);
      else log.warn(`dead letter ${deadLetterId}: ${what} has ended; nothing is left to do`);
      continue;
    }
    await batch.tx.query('SAVEPOINT replay');
    try {
      const topic = topicNamed(row.topic, topics);
      if (row.erased_at !== null) {
        throw new Error('its bytes are no longer kept: have it sent again under a new id, where it is still needed');
      }
      const handle = handlers.get(row.topic);
      if (!handle) throw new Error(`${service} no longer handles ${row.topic}`);
      const record = {
        partition: row.partition,
        offset: String(row.offset),
        key: row.key === null ? null : Buffer.from(row.key),
        value: row.value,
        headers: row.headers,
      };
      const read = readEvent(topic, record);
      if (!read.ok) throw new Error(`still unreadable: ${read.fault.detail}`);
      const sha = sha256(row.value ?? '');
      const known = await batch.tx.query<{ status: string }>(
        `INSERT INTO inbox (topic, source, id, sha256, partition, "offset", status, at) VALUES ($1, $2, $3, $4, $5, $6, 'replayed', $7)
         ON CONFLICT (topic, source, id) DO UPDATE SET status = 'replayed'
         WHERE inbox.status = 'dead' AND inbox.sha256 = excluded.sha256 RETURNING status`,
        [row.topic, read.event.source, read.event.id, sha, row.partition, row.offset, batch.at],
      );
      if (known.length === 0) throw new Error('this id was handled meanwhile, or belongs to other bytes');
      const unit = unitOf(batch).fork();
      const { partition, offset, value } = record;
      const again = {
        event: read.event as Received['event'],
        topic: row.topic,
        partition,
        offset,
        takenAt: (row.taken_at ?? row.at).toISOString(),
        key: row.key,
        sha256: sha,
        bytes: value ?? Buffer.alloc(0),
      };
      await handle(batchOf(unit, row.topic, [again]));
      unit.causesAmong([causeKey(again.event)]);
      unit.flush();
      // The new outputs of the event are stored under the order to replay it, so that a repeat of the order publishes them again.
      unitOf(batch).adopt(causeOf({ event }), unit.messagesOf(causeOf(again)));
      await batch.tx.query(`UPDATE dead_letters SET status = 'replayed' WHERE dead_letter_id = $1`, [deadLetterId]);
      await batch.tx.query('RELEASE SAVEPOINT replay');
      report('handled', row.attempts + 1);
      log.log(`dead letter ${deadLetterId}: replayed`);
    } catch (error) {
      if (isTransient(error)) throw error;
      await batch.tx.query('ROLLBACK TO SAVEPOINT replay');
      const fault = textFault({ code: 'replay', detail: describe(error).detail });
      await batch.tx.query(`UPDATE dead_letters SET attempts = attempts + 1, fault = $2 WHERE dead_letter_id = $1`, [
        deadLetterId,
        JSON.stringify(fault),
      ]);
      log.warn(`dead letter ${deadLetterId}: dead again: ${fault.detail}`);
      report('failed', row.attempts + 1, fault);
    }
  }
}
