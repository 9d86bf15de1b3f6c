import { startChromium } from '@countersign/testing/chromium';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type Installed, installed, type Visitor, visit } from '../flows/installation.js';
import { type Coming, come, type Person, signedIn } from './person.js';

/** What the tests of a file share: one browser, one session, the installation. */
export interface Stage {
  readonly browser: Browser;
  readonly installed: Installed;
  /** The outside world and the topics. */
  readonly visitor: Visitor;
  /** Somebody who is signed in; gone, and without mishaps, when the test is over. */
  enter(coming?: Coming): Promise<Person>;
  /** The same without a session. */
  stranger(coming?: Coming): Promise<Person>;
}

/** Sets the stage of a file; what it has is there when the first test runs. */
export function stage(): Stage {
  let set: Pick<Stage, 'browser' | 'installed' | 'visitor'>;
  let session: Promise<Pick<Coming, 'storageState'>> | undefined;
  const here: Person[] = [];
  beforeAll(async () => {
    const offered = await installed();
    set = { installed: offered, visitor: await visit(offered), browser: await startChromium() };
  });
  afterEach(async () => {
    const mishaps = here.flatMap((person) => person.mishaps);
    for (const person of here.splice(0)) await person.leave();
    expect(mishaps).toEqual([]);
  });
  afterAll(async () => {
    await set?.browser.close();
    await set?.visitor.leave();
  });
  const stranger: Stage['stranger'] = async (coming) => {
    const person = await come(set.browser, set.installed, coming);
    here.push(person);
    return person;
  };
  return {
    get browser() {
      return set.browser;
    },
    get installed() {
      return set.installed;
    },
    get visitor() {
      return set.visitor;
    },
    stranger,
    async enter(coming) {
      session ??= signedIn(set.browser, set.installed);
      return stranger({ ...(await session), ...coming });
    },
  };
}
