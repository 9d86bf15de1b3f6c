import type { Locator } from 'playwright-core';

const confirmed = 'Every service of this installation applies it.';

/** Stops what an open dialog is about. Ends when the page has said that every service confirms, and the dialog is closed. */
export async function stopBy(dialog: Locator, reason: string): Promise<void> {
  await dialog.getByLabel('Why').fill(reason);
  await dialog.getByRole('button', { name: /^Stop / }).click();
  await dialog.getByText(confirmed).waitFor();
  await dialog.getByRole('status').getByRole('button', { name: 'Close' }).click();
}

/** The same with a resume. */
export async function resumeBy(dialog: Locator, why: string): Promise<void> {
  await dialog.getByLabel('Why it may go on').fill(why);
  await dialog.getByRole('button', { name: /^Resume / }).click();
  await dialog.getByText(confirmed).waitFor();
  await dialog.getByRole('status').getByRole('button', { name: 'Close' }).click();
}
