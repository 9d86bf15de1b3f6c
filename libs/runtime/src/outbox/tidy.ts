import type { Topic } from '@countersign/contracts';
import type { Admin } from '@countersign/kafka';
import type { Limits } from '../api/limits.js';
import type { Database } from '../database/database.js';

const day = 86_400_000;
/** The inbox's topic name for acts that nobody repeats after a week. */
export const weekActs = '~week-act';

/**
 * Deletes rows that no repeat needs any more: stored outputs an hour after the commit of their offset, and inbox rows a week
 * after their topic's retention. A state topic keeps the last record of each key for ever, and each change makes a new row, so
 * its rows are deleted after a week too. Handlers of state compare versions, so a record that comes again changes nothing. The
 * bytes of dead signals may be personal. They live no longer than a signal on its topic. Of people's acts, only those are deleted
 * that are known for a week.
 */
export async function tidy(
  db: Pick<Database, 'look'>,
  admin: Pick<Admin, 'fetchOffsets'>,
  group: string,
  topics: readonly Topic[],
  limits: Limits,
  at: string,
): Promise<void> {
  const now = Date.parse(at);
  const committed = await admin.fetchOffsets({ groupId: group });
  for (const { topic, partitions } of committed) {
    for (const { partition, offset } of partitions) {
      if (Number(offset) < 0) continue;
      await db.look('DELETE FROM outbox WHERE topic = $1 AND partition = $2 AND "offset" < $3 AND at < $4', [
        topic,
        partition,
        offset,
        new Date(now - limits.outboxRetentionMs).toISOString(),
      ]);
    }
  }
  await db.look('DELETE FROM inbox WHERE topic = $1 AND at < $2', [weekActs, new Date(now - 7 * day).toISOString()]);
  for (const topic of topics) {
    if (!topic.readers.includes(group)) continue;
    await db.look(`DELETE FROM inbox WHERE topic = $1 AND at < $2 AND status <> 'dead'`, [
      topic.name,
      new Date(now - (topic.retentionDays + 7) * day).toISOString(),
    ]);
    if (topic.types.length > 0) continue;
    await db.look(
      `UPDATE dead_letters SET key = NULL, headers = '{}', value = NULL, erased_at = $3
       WHERE topic = $1 AND at < $2 AND erased_at IS NULL`,
      [topic.name, new Date(now - topic.retentionDays * day).toISOString(), at],
    );
  }
}
