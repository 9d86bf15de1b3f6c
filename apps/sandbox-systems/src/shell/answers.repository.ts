import type { Database, Reader, Tx } from '@countersign/runtime';
import { Inject, Injectable, ServiceUnavailableException } from '@nestjs/common';
import pg from 'pg';
import type { Answer, Found, Shown } from '../core/answer.js';
import { DATABASE } from './database.js';
import type { System } from './systems.js';

interface AnswerRow {
  key: string;
  outcome: 'done' | 'rejected';
  reference: string | null;
  before: Shown | null;
  after: Shown | null;
  reason: { code: string; detail: string } | null;
}

interface Waiting {
  readonly key: string;
  readonly call: unknown;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

interface Queue {
  /** In the order of arrival. */
  readonly waiting: Waiting[];
  atWork: readonly Waiting[];
}

/** The most calls that share one transaction. */
const together = 64;

/** Every definite answer of the systems, including refusals, stored for good under its key: a call runs once, however often it comes. */
@Injectable()
export class Answers {
  private readonly queues = new Map<string, Queue>();

  constructor(@Inject(DATABASE) private readonly db: Database) {}

  /**
   * Makes a system carry a call out, under a new key. A known key gets its first answer again, and nothing else happens. Calls that
   * arrive during a transaction share the next one. If the caller has left by then, its call is not begun.
   */
  once<Call>(system: System<Call>, key: string, call: Call, gone: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const queue = this.queues.get(system.name) ?? { waiting: [], atWork: [] };
      const waiting = { key, call, resolve, reject };
      queue.waiting.push(waiting);
      const leave = () => {
        const at = queue.waiting.indexOf(waiting);
        if (at < 0) return;
        queue.waiting.splice(at, 1);
        reject(new ServiceUnavailableException('the caller was gone before its call was begun'));
      };
      gone.addEventListener('abort', leave, { once: true });
      if (this.queues.has(system.name)) return;
      this.queues.set(system.name, queue);
      setImmediate(() => void this.drain(system as System<unknown>, queue));
    });
  }

  /** What a system knows about a key. */
  async find({ name }: Pick<System, 'name'>, key: string): Promise<Found> {
    // Checked before the table is read: a call that ends in between is found in the table.
    const queue = this.queues.get(name);
    const running = [...(queue?.waiting ?? []), ...(queue?.atWork ?? [])].some((entry) => entry.key === key);
    if (running) return { outcome: 'running' };
    const tx = { query: this.db.read.bind(this.db) };
    return (await answersTo(name, [key], tx)).get(key) ?? { outcome: 'absent' };
  }

  private async drain(system: System<unknown>, queue: Queue): Promise<void> {
    while (queue.waiting.length > 0) {
      queue.atWork = queue.waiting.splice(0, together);
      await this.together(system, queue.atWork);
    }
    this.queues.delete(system.name);
  }

  private async together(system: System<unknown>, calls: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.db.transaction((tx) => answersOf(system, calls, tx));
      for (const { key, resolve, reject } of calls) {
        const answer = answers.get(key);
        if (answer) resolve(answer);
        else reject(new Error(`${system.name}: a key without an answer`));
      }
    } catch (error) {
      // If the database refuses one call, the others must not fail with it. Without a database, there is nothing to try.
      if (calls.length > 1 && error instanceof pg.DatabaseError) {
        for (const call of calls) await this.together(system, [call]);
      } else for (const { reject } of calls) reject(error);
    }
  }
}

async function answersOf(
  { name, carryOut }: System<unknown>,
  calls: readonly Waiting[],
  tx: Tx,
): Promise<Map<string, Answer>> {
  const keys = [...new Set(calls.map(({ key }) => key))].sort();
  const claimed = await tx.query<{ key: string }>(
    `INSERT INTO answers (system, key) SELECT $1, key FROM unnest($2::text[]) AS key ORDER BY key
     ON CONFLICT DO NOTHING RETURNING key`,
    [name, keys],
  );
  const fresh = new Set(claimed.map(({ key }) => key));
  const known = keys.filter((key) => !fresh.has(key));
  const answers = await answersTo(name, known, tx);
  // Of several calls with one key, the first is carried out.
  const begun = calls.filter(({ key }) => fresh.delete(key));
  if (begun.length === 0) return answers;
  const given = await carryOut(begun, tx);
  const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value));
  const done = given.map((answer) => (answer.outcome === 'done' ? answer : undefined));
  tx.write(
    `UPDATE answers a SET outcome = n.outcome, reference = n.reference, before = n.before::jsonb, after = n.after::jsonb,
            reason = n.reason::jsonb
     FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
       AS n(key, outcome, reference, before, after, reason)
     WHERE a.system = $1 AND a.key = ANY($2) AND a.key = n.key`,
    [
      name,
      begun.map(({ key }) => key),
      given.map(({ outcome }) => outcome),
      done.map((answer) => answer?.reference ?? null),
      done.map((answer) => json(answer?.before)),
      done.map((answer) => json(answer?.after)),
      given.map((answer) => (answer.outcome === 'rejected' ? json(answer.reason) : null)),
    ],
  );
  for (const [n, { key }] of begun.entries()) {
    const answer = given[n];
    if (answer) answers.set(key, answer);
  }
  return answers;
}

async function answersTo(system: string, keys: readonly string[], tx: Reader): Promise<Map<string, Answer>> {
  if (keys.length === 0) return new Map();
  const rows = await tx.query<AnswerRow>(
    `SELECT key, outcome, reference, before, after, reason FROM answers
     WHERE system = $1 AND key = ANY($2) AND outcome IS NOT NULL`,
    [system, keys],
  );
  return new Map(rows.map((row) => [row.key, answerOf(row)]));
}

function answerOf(row: AnswerRow): Answer {
  if (row.outcome === 'rejected') {
    return { outcome: 'rejected', reason: row.reason ?? { code: 'rejected', detail: 'refused' } };
  }
  return {
    outcome: 'done',
    reference: row.reference ?? row.key,
    ...(row.before !== null && { before: row.before }),
    ...(row.after !== null && { after: row.after }),
  };
}
