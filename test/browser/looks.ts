import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';

const standards = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** The faults of the page by WCAG 2.2 AA and good practice, and its text that is too small or cut off, one line each. */
export async function objections(page: Page): Promise<string[]> {
  await page.evaluate<void>(atRest);
  const { violations } = await new AxeBuilder({ page }).withTags(standards).analyze();
  return [
    ...violations.flatMap(({ id, impact, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${impact} ${id}: ${help}: ${target.join(' ')}: ${failureSummary}`),
    ),
    ...(await hardToRead(page)),
  ];
}

/** Content that fades in has less contrast while it does. */
const atRest = `Promise.all(document.getAnimations()
  .filter(({ effect, playState }) => playState === 'running' && Number.isFinite(effect?.getComputedTiming().endTime))
  .map((animation) => animation.finished.catch(() => undefined))).then(() => undefined)`;

/** Visible text of fewer than 14 pixels, and badges that do not show all of their text. */
export const hardToRead = (page: Page): Promise<string[]> => page.evaluate<string[]>(tooSmallOrCut);

/** Any text that is cut off, and texts that are printed over each other. */
export const cutOrOver = (page: Page): Promise<string[]> => page.evaluate<string[]>(cutOrCovered);

const tooSmallOrCut = `(() => {
  const shown = (e) => {
    const { width, height } = e.getBoundingClientRect();
    return e.checkVisibility({ visibilityProperty: true }) && width > 1 && height > 1;
  };
  const written = [...document.body.querySelectorAll('*')].filter(
    (e) =>
      e.matches('input:not([type=radio], [type=checkbox], [type=hidden]), textarea, select') ||
      [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim() !== ''),
  );
  const sizeOf = (e) => parseFloat(getComputedStyle(e).fontSize);
  const start = (e) => e.outerHTML.slice(0, 160);
  return [
    ...written.filter((e) => sizeOf(e) < 14 && shown(e)).map((e) => sizeOf(e) + ' px: ' + start(e)),
    ...[...document.querySelectorAll('.mantine-Badge-label')]
      .filter((e) => e.scrollWidth > e.clientWidth && shown(e))
      .map((e) => 'cut off: ' + start(e)),
  ];
})()`;

/*
 * A text is cut where it is wider than a box around it that hides what sticks out; a box that scrolls hides nothing. Two texts of the
 * same layer are over each other where the middles of their lines meet. A layer is the page, or what floats above it, such as its head
 * or a dialog.
 */
const cutOrCovered = `(() => {
  // The page itself hides nothing: an open dialog keeps it from scrolling, and what is beside the screen is meant to be there.
  const hides = (e) =>
    !e.matches('html, body') && ['hidden', 'clip'].includes(getComputedStyle(e).overflowX);
  const floats = (e) => ['fixed', 'sticky'].includes(getComputedStyle(e).position);
  const around = (e) => (e === null ? [] : [e, ...around(e.parentElement)]);
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (node.textContent.trim() === '' || parent.closest('svg, script, style, noscript')) continue;
    if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const outer = around(parent);
    // Text for screen readers alone.
    if (outer.some((e) => hides(e) && e.clientWidth <= 1)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()].filter(({ width, height }) => width > 1 && height > 1);
    // A space at the end of a line hangs over its box.
    const space = parseFloat(getComputedStyle(parent).fontSize) * 0.4;
    texts.push({ space, words: node.textContent.trim().slice(0, 80), lines, layer: outer.find(floats), boxes: outer.filter(hides) });
  }
  const cut = texts.filter(({ lines, boxes, space }) =>
    boxes.some((box) => {
      const { left, right } = box.getBoundingClientRect();
      return lines.some((line) => line.right > right + space || line.left < left - 1);
    }),
  );
  // A field in which one writes scrolls.
  const fields = [...document.querySelectorAll('input[readonly]')].filter(
    (e) => e.checkVisibility({ visibilityProperty: true }) && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1,
  );
  const meet = (a, b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom - a.height / 4, b.bottom - b.height / 4) - Math.max(a.top + a.height / 4, b.top + b.height / 4) > 0;
  const covered = texts.flatMap((text, n) =>
    texts
      .slice(n + 1)
      .filter((other) => other.layer === text.layer && text.lines.some((a) => other.lines.some((b) => meet(a, b))))
      .map((other) => text.words + ' | ' + other.words),
  );
  return [
    ...cut.map(({ words }) => 'cut off: ' + words),
    ...fields.map(({ value }) => 'cut off in its field: ' + value.slice(0, 80)),
    ...covered.map((words) => 'over each other: ' + words),
  ];
})()`;

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
