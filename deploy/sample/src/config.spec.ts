import fs, { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PolicyContent, readConfig, readFolder, SourceConfig, shippedDeployment } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { campaigns, cast } from './core/world.js';

const folder = join(import.meta.dirname, '../../config');
const files = readFolder(folder, fs);
const read = readConfig(files);

test('the configuration as shipped is a policy', () => {
  expect(read).toMatchObject({ ok: true, notes: [] });
  expect(read.ok && PolicyContent.safeParse(read.content).success).toBe(true);
});

/** Sources as shipped that a configuration does not list in the same way. What it lists beside them is its own matter. */
const missingIn = (sources: readonly SourceConfig[]) =>
  shippedDeployment.sources.filter(
    (shipped) =>
      !sources.some(
        ({ name, via, source }) => name === shipped.name && via === shipped.via && source === shipped.source,
      ),
  );

test('the configuration lists every source as shipped, so topics and permissions of the sample exist, and may list others', () => {
  const { sources } = parse(readFileSync(join(folder, 'sources.yaml'), 'utf8'));
  const known = SourceConfig.array().parse(sources);
  const added: SourceConfig = { name: 'shop', via: 'http', source: '/sources/shop', title: 'Shop' };
  expect(missingIn([...known, added])).toEqual([]);
  const [first, ...others] = known.filter(({ name }) => shippedDeployment.sources.some((s) => s.name === name));
  if (!first) throw new Error('no source');
  expect(missingIn(others).map(({ name }) => name)).toEqual([first.name]);
  expect(missingIn([{ ...first, source: '/sources/other' }, ...others]).map(({ name }) => name)).toEqual([first.name]);
});

test('the policy and the sample speak of the same campaigns and accounts', () => {
  if (!read.ok) throw new Error('no policy');
  const { plays, routes, rules, charters } = read.content;
  const named = plays.flatMap((p) => p.tasks.map((t) => t.settings?.campaignId)).filter((id) => id !== undefined);
  expect(campaigns.map((c) => c.campaignId)).toEqual(expect.arrayContaining(named));
  const partner = routes.find((r) => r.accounts?.includes(cast.partner));
  expect(partner).toMatchObject({ kinds: ['crm.create_task'], executor: 'downstream', connector: 'crm' });
  expect(rules.contactFrequency.touches).toBe(1);
  // What the stories of the shift and of the cap rest on.
  const limits = charters.find((c) => c.agent === 'paid-media-agent')?.limits;
  expect(limits?.approvalAboveMinor).toBeGreaterThanOrEqual(15_000);
  expect(limits?.approvalAboveMinor).toBeLessThan(30_000);
  expect(limits?.campaignSpendPerDayMinor).toBeGreaterThanOrEqual(30_000);
  expect(limits?.campaignSpendPerDayMinor).toBeLessThan(120_000);
});
