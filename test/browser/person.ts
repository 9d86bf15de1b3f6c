import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { Installed } from '../flows/installation.js';

/** The screens of the tests. The phone is dark, so that what is looked at on both screens is looked at in both colour schemes. */
export const screens = {
  desktop: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  phone: {
    ...{ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
    colorScheme: 'dark',
  },
} as const satisfies Readonly<Record<string, BrowserContextOptions>>;

export type Screen = keyof typeof screens;

/** A person in front of a screen, with a record of everything that must never happen there. */
export interface Person {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Scripts that ran or tried to, requests to strangers, errors of the page, so far: what a test expects to be empty. */
  readonly mishaps: readonly string[];
  leave(): Promise<void>;
}

export interface Coming extends BrowserContextOptions {
  readonly on?: Screen;
}

/** Runs in each page before anything else. */
const violationReporter = `document.addEventListener('securitypolicyviolation', (event) =>
  tellOfViolation('against ' + event.effectiveDirective + ': ' + event.blockedURI + ' ' + event.sample));`;

/** Where the links of the pages to traces lead. Nothing is there. */
export const traceUrl = (traceId: string): string => `https://traces.example/trace/${traceId}`;

/** Where the pages are. */
export const consoleUrl = ({ run }: Installed): string => run.http.console as string;

/** A new browser profile at the console, watched. It is signed in only if `storageState` is given. */
export async function come(browser: Browser, installed: Installed, coming: Coming = {}): Promise<Person> {
  const { on = 'desktop', baseURL = consoleUrl(installed), ...more } = coming;
  const mishaps: string[] = [];
  const context = await browser.newContext({
    ...screens[on],
    baseURL,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
    ...more,
  });
  context.setDefaultTimeout(15_000);
  // The story's proof may be fetched from the record itself.
  const known = [baseURL, installed.run.http['audit-recorder']].map((url) => url && new URL(url).origin);
  await context.route('**/*', async (route) => {
    const { origin, protocol } = new URL(route.request().url());
    if (known.includes(origin) || protocol === 'data:' || protocol === 'blob:') return route.continue();
    mishaps.push(`a request to ${origin}`);
    return route.abort();
  });
  await context.exposeBinding('tellOfViolation', (_source, text: string) => void mishaps.push(text));
  await context.addInitScript({ content: violationReporter });
  const watch = (page: Page): void => {
    page.on('dialog', (dialog) => {
      mishaps.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('pageerror', (error) => mishaps.push(`an error: ${error.message}`));
  };
  context.on('page', watch);
  const page = await context.newPage();
  const leave = async () => {
    // A test may end while it still changes an answer on its way; nobody waits for that one.
    for (const place of [...context.pages(), context]) await place.unrouteAll({ behavior: 'ignoreErrors' });
    await context.close();
  };
  return { page, context, mishaps, leave };
}

/** A one-time link, as whoever has a token of the console asks for it. */
export async function oneTimeLink(installed: Installed, token = installed.secrets.consoleToken): Promise<string> {
  const answer = await fetch(`${consoleUrl(installed)}/v1/sign-in/links`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new Error(`no link: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { url: string }).url;
}

/** Opens a one-time link. The console takes ten codes a minute from one address, and all test files share one: then it waits. */
export async function openLink(page: Page, installed: Installed, token?: string): Promise<void> {
  for (;;) {
    const used = page.waitForResponse(
      (response) => response.request().method() === 'POST' && new URL(response.url()).pathname === '/v1/session',
    );
    await page.goto(await oneTimeLink(installed, token));
    const answer = await used;
    if (answer.status() !== 429) return;
    const seconds = Number(answer.headers()['retry-after'] ?? 60);
    await new Promise((then) => setTimeout(then, seconds * 1_000));
  }
}

/** Signs in with a link, once. The result lets any number of profiles sign in. */
export async function signedIn(
  browser: Browser,
  installed: Installed,
  token?: string,
): Promise<Pick<Coming, 'storageState'>> {
  const person = await come(browser, installed);
  try {
    await openLink(person.page, installed, token);
    await person.page.getByRole('navigation', { name: 'Pages' }).waitFor();
    return { storageState: await person.context.storageState() };
  } finally {
    await person.leave();
  }
}
