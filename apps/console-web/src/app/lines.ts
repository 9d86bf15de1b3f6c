/** How fresh what the pages show is. */
export interface Live {
  readonly connected: boolean;
  /** When the console last sent something, as an ISO instant; undefined before the first time. */
  readonly at: string | undefined;
}

/** The console sends something every 5 s at least. After this long without a message the pages say that they may be out of date. */
const silenceMs = 12_000;
/**
 * The first message comes at once. A browser may reuse an old connection that leads nowhere, and it keeps several of them. So
 * another stream is opened beside those that have received nothing. The pauses grow, so that a console in trouble does not get more
 * and more requests.
 */
const pausesMs = [1_000, 1_000, 1_500, 1_500, 2_000, 3_000];
const longestPauseMs = 5_000;
/**
 * Some proxies hold a stream back until it ends. After this many tries without a message the pages say that they may be out of
 * date.
 */
const mutesBelieved = 3;
/** Fewer than the connections that a browser opens to one address, so that pages and acts still have connections. */
const mostLines = 4;

/** What opens the streams, and what is notified about them. */
interface Ends {
  readonly open: () => EventSource;
  /** Reports that the computer is on a network again. */
  readonly online: EventTarget;
  readonly show: (change: (known: Live) => Live) => void;
  /** Takes the console's time, as an ISO instant. */
  readonly setTime: (at: string) => void;
  /** The connection was lost. Readings on it get no answer any more. */
  readonly lost: () => void;
  readonly changed: (part: string) => void;
  /** Anything may have changed. */
  readonly missed: () => void;
  /** Another person may be signed in here, or nobody. */
  readonly askSession: () => void;
}

/** Maintains a stream from the console that receives messages. Returns a function that ends this. */
export function followLines({
  open: openLine,
  online,
  show,
  setTime,
  lost,
  changed,
  missed,
  askSession,
}: Ends): () => void {
  /** The stream that receives messages, and the streams that are open but have received nothing yet, the oldest first. */
  let line: EventSource | undefined;
  let tried: EventSource[] = [];
  let tries = 0;
  let next: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  // Not before the first message: changes between the first reading of a page and that message were not announced to this page.
  let connected = false;

  const tryAnother = (soon = false) => {
    clearTimeout(next);
    next = setTimeout(open, soon ? 0 : (pausesMs[tries] ?? longestPauseMs));
    tries++;
  };
  const showLost = () => show((known) => ({ ...known, connected: false }));
  const closeAll = () => {
    clearTimeout(silence);
    clearTimeout(next);
    for (const source of [line, ...tried]) source?.close();
    line = undefined;
    tried = [];
    connected = false;
    tries = 0;
  };
  const lose = () => {
    closeAll();
    lost();
    showLost();
  };
  const hear = (source: EventSource, event: MessageEvent<string>): { parts?: readonly string[] } => {
    if (line !== source) {
      for (const other of [line, ...tried]) if (other !== source) other?.close();
      line = source;
      tried = [];
      clearTimeout(next);
    }
    clearTimeout(silence);
    // A silent connection may stay open for many minutes. Only another connection shows whether the console is there.
    silence = setTimeout(() => {
      lose();
      tryAnother(true);
    }, silenceMs);
    const message = JSON.parse(event.data) as { at: string; parts?: readonly string[] };
    setTime(message.at);
    // Changes that happened while the connection was down were not announced to this page.
    if (!connected) missed();
    connected = true;
    tries = 0;
    show(() => ({ connected: true, at: message.at }));
    return message;
  };
  const open = () => {
    if (tries >= mutesBelieved) showLost();
    const source = openLine();
    tried.push(source);
    if (tried.length > mostLines) tried.shift()?.close();
    tryAnother();
    source.addEventListener('alive', (event) => hear(source, event));
    source.addEventListener('changed', (event) => {
      for (const part of hear(source, event).parts ?? []) changed(part);
    });
    source.addEventListener('ended', () => {
      // Another session may have begun in this browser, and its streams receive the changes. If there is none, the caller ends
      // this.
      closeAll();
      showLost();
      tryAnother();
      askSession();
    });
    source.onerror = () => {
      const refused = source.readyState === source.CLOSED;
      // Otherwise the browser would reopen the stream by itself, possibly on an old connection.
      source.close();
      tried = tried.filter((other) => other !== source);
      if (line === source) {
        lose();
        tryAnother();
      } else if (line === undefined) showLost();
      if (refused) askSession();
    };
  };
  const isOnline = () => {
    if (connected) return;
    tries = 0;
    tryAnother(true);
  };
  online.addEventListener('online', isOnline);
  open();
  return () => {
    closeAll();
    online.removeEventListener('online', isOnline);
  };
}
