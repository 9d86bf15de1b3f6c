import { wholeText } from '@countersign/contracts';
import open from 'open';
import type { Running } from './running.js';

/** A one-time link into the console for the person of this installation; undefined if the console gives none. */
export async function consoleLink({ run, secrets }: Pick<Running, 'run' | 'secrets'>): Promise<string | undefined> {
  try {
    const answer = await fetch(`${run.http.console}/v1/sign-in/links`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secrets.consoleToken}` },
      signal: AbortSignal.timeout(5_000),
    });
    const content: unknown = JSON.parse(await wholeText(answer.body, 65_536));
    const { url } = content as { url?: unknown };
    return answer.ok && typeof url === 'string' ? url : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a person is there, so that a browser may open. */
export const opensBrowser = (
  { isTTY }: { readonly isTTY?: boolean },
  wanted: boolean,
  env: Readonly<Record<string, string | undefined>>,
): boolean => wanted && isTTY === true && !env.CI;

/** Opens the browser, if this machine has one. If it cannot be opened, this is not a failure: the link is on the screen. */
export async function openInBrowser(url: string): Promise<void> {
  try {
    const browser = await open(url);
    browser.on('error', () => undefined);
  } catch {
    // The link is on the screen.
  }
}
