import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';

const standards = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** The faults of the page by WCAG 2.2 AA and good practice, one line each. */
export async function objections(page: Page): Promise<string[]> {
  await page.evaluate<void>(atRest);
  const { violations } = await new AxeBuilder({ page }).withTags(standards).analyze();
  return violations.flatMap(({ id, impact, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${impact} ${id}: ${help}: ${target.join(' ')}: ${failureSummary}`),
  );
}

/** Content that fades in has less contrast while it does. */
const atRest = `Promise.all(document.getAnimations()
  .filter(({ effect, playState }) => playState === 'running' && Number.isFinite(effect?.getComputedTiming().endTime))
  .map((animation) => animation.finished.catch(() => undefined))).then(() => undefined)`;

/** Elements that are wider than the screen, if one has to scroll sideways. */
export const tooWide = (page: Page): Promise<string[]> => page.evaluate<string[]>(widerThanTheScreen);

const widerThanTheScreen = `(() => {
  const { clientWidth, scrollWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  const wide = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > clientWidth + 1);
  return [scrollWidth + ' px of ' + clientWidth, ...wide.slice(0, 8).map((e) => e.outerHTML.slice(0, 160))];
})()`;

/** Elements that are too wide to read on a wide screen: very long lines, and content that is stretched beyond the width of a page. */
export const stretched = (page: Page): Promise<string[]> => page.evaluate<string[]>(tooLongToRead);

const tooLongToRead = `(() => {
  const wide = [...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().width > 1210);
  const page = wide.filter((e) => !e.querySelector('.page'));
  const long = [...document.querySelectorAll('main :is(p, li, blockquote, dd)')].filter((e) => {
    if (e.querySelector('p, li, div, table')) return false;
    const lines = Math.round(e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).lineHeight));
    return lines > 1 && e.textContent.length / lines > 110;
  });
  return [
    ...page.map((e) => 'stretched: ' + e.outerHTML.slice(0, 120)),
    ...long.map((e) => 'lines too long: ' + e.textContent.slice(0, 120)),
  ];
})()`;

/** Waits until the page shows its data: no skeleton, and no sign that it is busy. */
export async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  await page
    .locator(
      'main .mantine-Skeleton-root, main .mantine-Loader-root, main [aria-busy="true"], main [data-loading="true"]',
    )
    .first()
    .waitFor({ state: 'detached' });
}
