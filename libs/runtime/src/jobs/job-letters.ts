import { type Fault, outputId, sha256, topics } from '@countersign/contracts';
import { type Cause, type Job, type JobKind, jobName, type NewJob } from '../api/runtime.js';
import { describe, isTransient } from '../failures.js';
import { textFault } from '../kafka/entries.js';
import type { Emitted } from '../outbox/outgoing.js';
import { causeKey, type UnitOfWork } from '../outbox/unit-of-work.js';
import { printable } from '../text.js';

/** Takes the place of a topic's name in the dead letter of a job. No topic can have this name. */
export const JOBS = '~jobs';

/** The stored part of a dead job. */
interface DeadJob {
  readonly payload: unknown;
  readonly cause: Cause;
  /** Its kind has published the outcome, so there is nothing left to do. */
  readonly ended: boolean;
}

/**
 * Makes a job a dead letter, in the transaction that ends its row. Its payload stays in the service's own table. Its kind may
 * emit events in place of the result. Returns what has to be published.
 */
export async function buryJob(burial: {
  readonly service: string;
  readonly kind: JobKind<never>;
  readonly job: Job;
  readonly unit: UnitOfWork;
  readonly fault: Fault;
  readonly tries: number;
}): Promise<{ messages: readonly Emitted[]; note: string }> {
  const { service, kind, job, unit, tries } = burial;
  const { ended, messages, note } = await givenUp(burial);
  const fault = textFault(burial.fault);
  const dead: DeadJob = { payload: job.payload, cause: job.cause, ended };
  const value = JSON.stringify(dead);
  // A job that dies again after a replay makes another letter.
  const cause: Cause = { ...job.cause, source: '~dead', id: `${JOBS}/${kind.kind.name}/${job.id}/${unit.at}` };
  const deadLetterId = outputId(service, cause, -1);
  const id = printable(job.id, 300);
  unit.tx.write(
    `INSERT INTO dead_letters (dead_letter_id, topic, partition, "offset", id, type, headers, value, fault, attempts, at)
     VALUES ($1, $2, 0, 0, $3, $4, '{}', $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
    [deadLetterId, JOBS, job.id, kind.kind.name, Buffer.from(value), JSON.stringify(fault), tries, unit.at],
  );
  unit.emit(cause, topics.deadLetters(service), {
    type: 'DeadLetter',
    key: deadLetterId,
    data: {
      deadLetterId,
      service,
      topic: JOBS,
      partition: 0,
      offset: '0',
      job: { kind: kind.kind.name, id },
      sha256: sha256(value),
      fault,
      attempts: tries,
      at: unit.at,
    },
  });
  unit.causesAmong([causeKey(cause)]);
  unit.flush();
  return { messages: [...messages, ...unit.messagesOf(cause)], note };
}

/** Lets the kind emit its events, in a savepoint. If that fails too, the job is dead all the same. */
async function givenUp({ kind, job, unit, fault }: Parameters<typeof buryJob>[0]) {
  const nothing = { ended: false, messages: [] as readonly Emitted[], note: '' };
  if (!kind.giveUp) return nothing;
  await unit.tx.query('SAVEPOINT give_up');
  try {
    const fork = unit.fork();
    const ended = await kind.giveUp(job as Job<never>, fork, fault);
    fork.causesAmong([causeKey(job.cause)]);
    fork.flush();
    await unit.tx.query('RELEASE SAVEPOINT give_up');
    return { ended, messages: fork.messagesOf(job.cause), note: ended ? ', and ended' : '' };
  } catch (error) {
    if (isTransient(error)) throw error;
    await unit.tx.query('ROLLBACK TO SAVEPOINT give_up');
    return { ...nothing, note: `, and its end could not be told: ${describe(error).detail}` };
  }
}

/** The job of a dead letter, to be scheduled again; undefined if its kind has ended it. */
export function jobAgain(
  { type, id, value }: { readonly type: string | null; readonly id: string | null; readonly value: Buffer | null },
  at: string,
): { cause: Cause; job: NewJob<unknown> } | undefined {
  const { payload, cause, ended } = JSON.parse(String(value)) as DeadJob;
  if (ended) return undefined;
  return { cause, job: { kind: jobName<unknown>(type ?? ''), id: id ?? '', dueAt: at, payload } };
}
