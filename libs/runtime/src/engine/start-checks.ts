import { type InstallationMark, markQuery, markThere, misplaced } from '@countersign/contracts';
import type { Admin } from '@countersign/kafka';
import type { ServiceSpec } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import type { ServiceTopics } from './service-topics.js';

/** The service runs against the database or broker of another installation. */
class Misplaced extends Error {
  override readonly name = 'Misplaced';
}

/** Throws if the broker or the database belongs to another installation. Changes nothing. */
export async function checkInstallation(deps: {
  readonly spec: Pick<ServiceSpec, 'permitKeys'>;
  readonly admin: Admin;
  readonly db: Pick<Database, 'read'>;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<void> {
  const { clusterId } = await deps.admin.describeCluster();
  const [{ marked } = { marked: false }] = await deps.db.read<{ marked: boolean }>(markThere);
  const [mark] = marked ? await deps.db.read<InstallationMark>(markQuery) : [];
  const permitKeys = deps.spec.permitKeys?.(deps.env);
  const reason = misplaced(mark, { installation: deps.env.INSTALLATION_ID || undefined, clusterId, permitKeys });
  if (reason !== undefined) throw new Misplaced(reason);
}

/** Throws if a topic that the service uses is missing, or hidden from it. */
export async function checkTopics(
  service: string,
  admin: Pick<Admin, 'listTopics'>,
  { used }: Pick<ServiceTopics, 'used'>,
): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = used.filter(({ name }) => !existing.has(name)).map(({ name }) => name);
  if (missing.length > 0) throw new Error(`topics missing, or not permitted to ${service}: ${missing.join(', ')}`);
}
