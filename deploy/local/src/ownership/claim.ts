import type { KafkaUser } from '@countersign/servers';
import { type BrokerAccess, claimBroker, lookAtBroker } from './broker-mark.js';
import { lookAtDatabase, markDatabase, type RoleLogin, unmarkDatabase } from './database-mark.js';
import { type Own, objections, refusal } from './judge.js';

export interface ClaimWishes extends BrokerAccess {
  readonly superuserUrl: string;
  readonly own: Own;
  /** Names of the topics that an installation has. */
  readonly topics: readonly string[];
  /** The logins that this installation would create. */
  readonly users: readonly KafkaUser[];
  readonly roles: readonly RoleLogin[];
  /** Owners that this installation may replace, as a person confirmed; `unmarked` for a broker or database without a mark. */
  readonly adopt?: readonly string[] | undefined;
}

/** The broker or the database belongs to another installation. Nothing was changed. */
export class NotOurs extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NotOurs';
  }
}

/**
 * Ensures that broker and database belong to this installation before anything in them is changed, and marks those that belong to
 * nobody. Throws `NotOurs` with what was found and what to do. If two installations claim the same at the same time, one gets it,
 * and the other is refused.
 */
export async function claimInstallation(wishes: ClaimWishes): Promise<void> {
  const { superuserUrl, own, topics, users, roles, adopt = [] } = wishes;
  // Again, but only if somebody else claimed in between: then there is an owner to name.
  for (let tries = 3; tries > 0; tries--) {
    const [database, broker] = await Promise.all([
      lookAtDatabase(superuserUrl, roles),
      lookAtBroker(wishes, topics, users),
    ]);
    const standing = objections(own, { database, broker }).filter((objection) => !adopt.includes(objection.adopt));
    if (standing.length > 0) throw new NotOurs(refusal(own, standing));

    // The database first. So a start that is killed never leaves a broker with an owner and a database without one.
    const former = database.mark;
    const mark = { id: own.id, clusterId: broker.clusterId, permitKey: own.permitKey, place: own.place };
    if (!(await markDatabase(superuserUrl, mark, [own.id, ...(former ? [former.id] : [])]))) continue;
    if (broker.owner?.id === own.id) return;
    const owner = await claimBroker(wishes, {
      id: own.id,
      place: own.place,
      at: new Date().toISOString(),
      replaces: broker.owner?.id ?? null,
    });
    if (owner?.id === own.id) return;
    await unmarkDatabase(superuserUrl, own.id, former);
  }
  throw new Error('broker and database are claimed by others at this moment: start again');
}
