import { expect, test } from 'vitest';
import { crash } from '../flows/installation.js';
import { objections, tooWide } from './looks.js';
import { stage } from './stage.js';

/*
 * A real probe is watched on the page Record. One of its approved messages is due in an hour, and is under way until then. So this file
 * runs after the others (vitest.config.ts).
 */

const on = stage();

/** Two probes, each of which waits for what does not come. */
const forProbes = 300_000;

interface Probed {
  readonly rows: readonly { readonly id: string; readonly what: string; readonly verdict: string }[];
}

/** As a page writes it: with its own quotation marks. */
const shown = (what: string): string => what.replaceAll(/"([^"]*)"/g, '“$1”');

test(
  'a probe that runs as a command shows how far it is and each of its findings, and a later one that nothing was found',
  async () => {
    const { page } = await on.enter();
    await page.goto('/record');
    const region = page.getByRole('region', { name: 'Probe of the gate' });
    await region.getByText('npx countersign probe').waitFor();
    const probe = async (...options: string[]) => {
      const running = on.visitor.cli('probe', '--json', ...options);
      await region.getByText(/^Runs: lea began it/).waitFor({ timeout: 60_000 });
      await region.getByText(/^attempts made: \d+ of \d+$/).waitFor();
      // At the beginning it has no width.
      await region.getByRole('progressbar', { name: 'Progress: Probe of the gate' }).waitFor({ state: 'attached' });
      expect(await objections(page)).toEqual([]);
      const { out, err } = await running;
      expect(err).not.toContain('the console is not told');
      await region.getByText(/^Runs: /).waitFor({ state: 'detached' });
      return (JSON.parse(out) as Probed).rows;
    };
    // Without its executor an attempt leaves no record, and no honest action runs.
    const back = await crash('action-executor');
    try {
      const rows = await probe('--lead', '5', '--patience', '15');
      const wrong = rows.filter(({ verdict }) => verdict !== 'held' && verdict !== 'not-tried');
      expect(wrong.length).toBeGreaterThan(5);
      await region.getByText(`${wrong.length} findings: lea`).waitFor();
      expect(await region.getByRole('list', { name: 'Findings' }).getByRole('listitem').allTextContents()).toEqual(
        wrong.map(({ id, what }) => `${shown(what)} (${id}): 1`),
      );
      await region.getByText(/stop everything until it is closed/).waitFor();
      expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
    } finally {
      await back();
    }
    const rows = await probe();
    expect(rows.filter(({ verdict }) => verdict !== 'held')).toEqual([]);
    await region.getByText(`Nothing found in ${rows.length} checks: lea`).waitFor();
    expect(await region.getByRole('list', { name: 'Findings' }).count()).toBe(0);
    await region
      .getByRole('button', { name: `Show the ${rows.length} checks, ${rows.length} things looked at` })
      .click();
    expect(await region.getByRole('row').allTextContents()).toEqual([
      'CheckLooked atFindings',
      ...rows.map(({ what }) => `${shown(what)}10`),
    ]);
    expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  },
  forProbes,
);
