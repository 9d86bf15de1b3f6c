import { createHash } from 'node:crypto';
import { canonical } from './canonical.js';

/**
 * Which installation a database belongs to, and what it was set up with: the one row of `countersign.installation`. Every role
 * that may connect to the database may read it.
 */
export interface InstallationMark {
  readonly id: string;
  /** The id of the Kafka cluster that belongs to the database. */
  readonly clusterId: string;
  /** RFC 7638 thumbprint of the key that verifies permits. */
  readonly permitKey: string;
  /** Where the installation stores its secrets, for people. */
  readonly place: string;
  /** When the installation claimed the database, RFC 3339. */
  readonly since: string;
}

/** Says whether the mark's table exists: `{ marked: boolean }`. */
export const markThere = `SELECT to_regclass('countersign.installation') IS NOT NULL AS marked`;
/** Reads the mark, if its table exists. */
export const markQuery = `SELECT id, cluster_id AS "clusterId", permit_key AS "permitKey", place, since FROM countersign.installation`;

/** RFC 7638 thumbprint of an Ed25519 public key, from the `x` of its JWK. */
export const keyThumbprint = (x: string): string =>
  createHash('sha256')
    .update(canonical({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url');

/** What a service knows about the place where it runs. */
export interface Placed {
  /** `INSTALLATION_ID`, if it is set. */
  readonly installation?: string | undefined;
  /** The cluster of its brokers. */
  readonly clusterId: string;
  /** Thumbprints of the keys with which it signs or verifies permits, if it does. */
  readonly permitKeys?: readonly string[] | undefined;
}

/**
 * Why a service must not work here: its database, broker or permit key belongs to another installation. Undefined if there is no
 * objection. A database without a mark is accepted, unless the service was told its installation.
 */
export function misplaced(mark: InstallationMark | undefined, placed: Placed): string | undefined {
  const { installation, clusterId, permitKeys } = placed;
  if (!mark)
    return installation === undefined
      ? undefined
      : `the database of DATABASE_URL carries no mark of an installation, and INSTALLATION_ID is ${installation}: set DATABASE_URL to that installation's database, or run \`npm start\` or the setup, which mark it`;
  const owner = `installation ${mark.id} (${mark.place})`;
  if (installation !== undefined && installation !== mark.id)
    return `the database of DATABASE_URL belongs to ${owner}, and INSTALLATION_ID is ${installation}: set DATABASE_URL to the database of the service's own installation`;
  if (mark.clusterId !== clusterId)
    return `KAFKA_BROKERS leads to Kafka cluster ${clusterId}, and the database of DATABASE_URL belongs to ${owner}, which uses cluster ${mark.clusterId}: set both to those of one installation. Where the installation moved to another broker, \`npm start -- --adopt ${mark.id}\` says so`;
  if (permitKeys && !permitKeys.includes(mark.permitKey))
    return `the permit key of this service is not that of ${owner}: its thumbprint is ${mark.permitKey}, the configured ones are ${permitKeys.join(', ')}. Set PERMIT_SIGNING_KEY_FILE and PERMIT_VERIFY_KEYS_FILE to that installation's keys`;
  return undefined;
}
