import type { InstallationMark } from '@countersign/contracts';

/** The installation that wants to start. */
export interface Own {
  readonly id: string;
  readonly permitKey: string;
  /** Where it stores its secrets, for people: host and directory. */
  readonly place: string;
}

/** A claim on a broker: a record of the topic `countersign.installation`. */
export interface BrokerClaim {
  readonly id: string;
  readonly place: string;
  readonly at: string;
  /** The owner that it replaces; null for the first. */
  readonly replaces: string | null;
}

/** What was found in a database and a broker before anything was changed. */
export interface Found {
  readonly database: {
    /** Host, port and name, without a login. */
    readonly at: string;
    readonly mark?: InstallationMark | undefined;
    /** Whether logins of services exist. They belong to the whole server, not to one database. */
    readonly logins: boolean;
    /** Whether services have made tables. */
    readonly tables: boolean;
    /** Whether the existing logins accept this installation's passwords, and no others. */
    readonly knowsUs: boolean;
  };
  readonly broker: {
    readonly at: string;
    readonly clusterId: string;
    readonly owner?: BrokerClaim | undefined;
    /** Whether topics of the topology exist. */
    readonly topics: boolean;
    /** Whether the broker accepts a password of this installation. */
    readonly knowsUs: boolean;
  };
}

/** One reason not to start, and the word with which a person can confirm a takeover. */
export interface Objection {
  readonly adopt: string;
  readonly detail: string;
}

/** The word for a broker or database without a mark: it was made before marks existed, or by somebody else. */
export const unmarked = 'unmarked';

/**
 * The owner according to the claims on the broker's topic, in their order: the first claim, and then each claim that replaces the
 * owner of its time.
 */
export function ownerOf(claims: readonly BrokerClaim[]): BrokerClaim | undefined {
  let owner: BrokerClaim | undefined;
  for (const claim of claims) if (!owner || claim.replaces === owner.id) owner = claim;
  return owner;
}

/** Why this installation must not touch what it found; empty if that is its own, or has no owner. */
export function objections(own: Own, { database, broker }: Found): readonly Objection[] {
  const found: Objection[] = [];
  const { mark } = database;
  const { owner } = broker;
  const object = (adopt: string, detail: string): void => void found.push({ adopt, detail });

  if (mark && mark.id !== own.id)
    object(
      mark.id,
      `The database ${database.at} belongs to installation ${mark.id} (${mark.place}, since ${mark.since}).`,
    );
  if (owner && owner.id !== own.id)
    object(
      owner.id,
      `The broker ${broker.at} belongs to installation ${owner.id} (${owner.place}, since ${owner.at}).`,
    );

  if (mark?.id === own.id && mark.clusterId !== broker.clusterId)
    object(
      own.id,
      `The database ${database.at} is this installation's, but it was used with Kafka cluster ${mark.clusterId}, and ${broker.at} is cluster ${broker.clusterId}. What stood on the topics of the other cluster is not here.`,
    );
  if (mark?.id === own.id && mark.permitKey !== own.permitKey)
    object(
      own.id,
      `The permit key is another than before (thumbprint ${own.permitKey}, before ${mark.permitKey}). Permits that were signed with the old one and have not run would end as unresolved.`,
    );
  if (!mark && owner?.id === own.id)
    object(
      own.id,
      `The broker ${broker.at} is this installation's, but the database ${database.at} has nothing of it: it is another one, or it was emptied. Which events were handled and which permits were spent stood in it.`,
    );

  if (!mark && (database.logins || database.tables) && !database.knowsUs)
    object(
      unmarked,
      `The database server of ${database.at} has logins or tables of services, and they do not take this installation's passwords, or take any. They are another installation's, or this one's secrets were lost.`,
    );
  if (!owner && broker.topics && !broker.knowsUs)
    object(
      unmarked,
      `The broker ${broker.at} has topics of an installation, and does not take this installation's passwords. They are another installation's, or this one's secrets were lost.`,
    );
  if (!mark && !owner && database.tables !== broker.topics && found.length === 0)
    object(
      unmarked,
      database.tables
        ? `The database ${database.at} was in use, and the broker ${broker.at} has no topic of it: they do not belong together.`
        : `The broker ${broker.at} was in use, and the database ${database.at} has no table of it: they do not belong together.`,
    );
  return found;
}

/** The refusal for a person: what was found, who this is, and what to do. */
export function refusal(own: Own, objected: readonly Objection[]): string {
  const words = [...new Set(objected.map(({ adopt }) => adopt))];
  const foreign = words.some((word) => word !== own.id);
  return [
    foreign
      ? 'Nothing was changed, because broker and database are not those of this installation:'
      : 'Nothing was changed, because broker, database and keys of this installation are not of one time:',
    ...objected.map(({ detail }) => `  - ${detail}`),
    `This is installation ${own.id} (${own.place}).`,
    'What to do, one of these (docs/sre.md, recovery cases):',
    ...(foreign
      ? [
          "  - Set KAFKA_BROKERS and DATABASE_URL to this installation's own, or to a broker and a database server that nobody uses.",
          `  - Where this installation's secrets were lost, put a copy of them in the place of ${own.place.replace(/^[^:]*:/, '')}/secrets.`,
          '  - To take over what is there for good, stop whoever uses it, and start as below. Passwords and permit key are replaced: the former owner cannot log in any more, and its permits that have not run end as unresolved.',
        ]
      : [
          '  - Put back what is missing from a copy of the same time, or point KAFKA_BROKERS and DATABASE_URL to where it is.',
          '  - To go on without what is missing, start as below.',
        ]),
    `      npm start -- ${words.map((word) => `--adopt ${word}`).join(' ')}`,
    `      with docker compose: COUNTERSIGN_ADOPT=${words.join(',')}`,
  ].join('\n');
}
