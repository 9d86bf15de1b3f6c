import { read, type Shelf, write } from './shelf.js';

/** What one tab tells the others of this browser: that somebody signed in, or out. */
export type SessionNews = 'signed-in' | 'signed-out';

const name = 'countersign-session';

export function notifyTabs(news: SessionNews): void {
  const channel = new BroadcastChannel(name);
  channel.postMessage(news);
  channel.close();
}

/** Calls `hear` when another tab tells something; returns how to end that. */
export function hearTabs(hear: (news: unknown) => void): () => void {
  const channel = new BroadcastChannel(name);
  channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => hear(data));
  return () => channel.close();
}

/**
 * Whether this browser did not know of a session yet, by the time at which it began: one tab finds out and tells the others, however
 * somebody signed in. A browser that keeps nothing tells it once a page.
 */
export function unheard(browser: () => Shelf): (signedInAt: string) => boolean {
  let here: string | undefined;
  return (signedInAt) => {
    if (signedInAt === here) return false;
    here = signedInAt;
    if (read(browser, name) === signedInAt) return false;
    write(browser, name, signedInAt);
    return true;
  };
}
