/** What one tab tells the others of this browser: that somebody signed in, or out. */
export type SessionNews = 'signed-in' | 'signed-out';

const name = 'countersign-session';

export function tellTabs(news: SessionNews): void {
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
