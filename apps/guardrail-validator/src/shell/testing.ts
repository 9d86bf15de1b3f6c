import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { profileKey } from '@countersign/contracts';
import { at, type permitKeys, taskOf } from '@countersign/gate/testing';
import { createHarness, type Harness } from '@countersign/runtime/harness';
import { GuardrailValidatorModule, spec } from '../module.js';

/** Gives a test's validators the signing key `jwk`. Returns a function that removes it again. */
export function signsWith(jwk: ReturnType<typeof permitKeys>['jwk']): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'permit-key-'));
  const file = join(folder, 'key.jwk');
  writeFileSync(file, JSON.stringify(jwk), { mode: 0o600 });
  process.env.PERMIT_SIGNING_KEY_FILE = file;
  return () => rmSync(folder, { recursive: true });
}

/** The profile of the person whom the sample proposals concern. */
export const person = (contactId: string, change: Record<string, unknown> = {}) => ({
  version: 1,
  changedAt: at,
  kind: 'contact',
  contactId,
  accountId: 'acme',
  seniority: 'manager',
  reachable: ['email'],
  signals: 1,
  provenance: {},
  ...change,
});

/** The account of the sample proposals, and who owns it in the CRM. */
export const account = (ownerId?: string) => ({
  version: ownerId === undefined ? 1 : 2,
  changedAt: at,
  kind: 'account',
  accountId: 'acme',
  ...(ownerId !== undefined && { ownerId }),
  deals: [],
  lastSignalAt: at,
  signals: 1,
  provenance: {},
});

/** The ad account whose budget the sample proposals shift. */
const adAccount = {
  version: 1,
  changedAt: at,
  kind: 'ad-account',
  adAccountId: 'ads-emea',
  currency: 'EUR',
  lastSignalAt: at,
};

/** The tasks that the sample proposals of both agents name. */
export async function assignTasks(service: Harness): Promise<void> {
  for (const agent of ['paid-media-agent', 'sequencing-agent'])
    await service.putState('tasks.assigned.v1', 'acme', taskOf(agent));
}

const known = (campaignId: string) => ({
  campaignId,
  status: 'active',
  dailyBudgetMinor: 40_000,
  bidMinor: 110,
  days: [],
});

/**
 * Profiles of the ad account and of its campaigns, by key. The campaigns in `inside` are also listed within the ad account, in the form
 * of the earlier version.
 */
export const adProfiles = (
  campaigns: readonly string[] = ['cmp-from', 'cmp-to'],
  inside: readonly string[] = [],
): ReadonlyMap<string, unknown> =>
  new Map<string, unknown>([
    ['ad-account:ads-emea', { ...adAccount, campaigns: Object.fromEntries(inside.map((id) => [id, known(id)])) }],
    ...campaigns.map((id): [string, unknown] => [
      profileKey.campaign('ads-emea', id),
      { version: 3, changedAt: at, kind: 'campaign', adAccountId: 'ads-emea', currency: 'EUR', ...known(id) },
    ]),
  ]);

/** Two instances of the validator with one database, which know the tasks and the advertising profiles of the sample proposals. */
export async function startPair(databaseUrl: string): Promise<[Harness, Harness]> {
  const start = () => createHarness(GuardrailValidatorModule, spec, { databaseUrl, at });
  const pair: [Harness, Harness] = [await start(), await start()];
  const [instance] = pair;
  await assignTasks(instance);
  for (const [key, data] of adProfiles()) await instance.putState('profiles.v1', key, data);
  return pair;
}
