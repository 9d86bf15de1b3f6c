import { startChromium } from '@countersign/testing/chromium';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type Staffed, staffed, type Visitor, visit } from '../flows/installation.js';
import { type Coming, come, type Person, signedIn } from './person.js';

/** What the tests of a file share: one browser, one session, the installation. */
export interface Stage {
  readonly browser: Browser;
  readonly installed: Staffed;
  /** The outside world and the topics. */
  readonly visitor: Visitor;
  /** Somebody who is signed in; gone, and without mishaps, when the test is over. */
  enter(coming?: Coming): Promise<Person>;
  /** The same as marc, who may answer the same reviews. */
  colleague(coming?: Coming): Promise<Person>;
  /** The same without a session. */
  stranger(coming?: Coming): Promise<Person>;
}

/** Sets the stage of a file; what it has is there when the first test runs. */
/** What an event says of what the person saw on the page. */
export const sight = { digest: expect.stringMatching(/^[0-9a-f]{64}$/), lookedMs: expect.any(Number) };

export function stage(): Stage {
  let set: Pick<Stage, 'browser' | 'installed' | 'visitor'>;
  const sessions = new Map<string, ReturnType<typeof signedIn>>();
  const here: Person[] = [];
  beforeAll(async () => {
    const offered = await staffed();
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
  const enterWith = async (token: string, coming?: Coming): Promise<Person> => {
    const session = sessions.get(token) ?? signedIn(set.browser, set.installed, token);
    sessions.set(token, session);
    return stranger({ ...(await session), ...coming });
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
    enter: (coming) => enterWith(set.installed.secrets.consoleToken, coming),
    colleague: (coming) => enterWith(set.installed.colleagueToken, coming),
  };
}
