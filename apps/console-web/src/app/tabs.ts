import { read, type Shelf, write } from './shelf.js';

/** What one tab announces to the other tabs of this browser: that somebody signed in, or signed out. */
export type SessionNews = 'signed-in' | 'signed-out';

const name = 'countersign-session';

export function notifyTabs(news: SessionNews): void {
  const channel = new BroadcastChannel(name);
  channel.postMessage(news);
  channel.close();
}

/** Calls `hear` when another tab announces something. Returns a function that ends this. */
export function hearTabs(hear: (news: unknown) => void): () => void {
  const channel = new BroadcastChannel(name);
  channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => hear(data));
  return () => channel.close();
}

/**
 * Whether this browser did not know this session yet; the time when the session began identifies it. One tab notices a new session
 * and notifies the others, whatever way the person signed in. A browser that stores nothing reports the session once for each page.
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
