/** How fresh what the pages show is. */
export interface Live {
  readonly connected: boolean;
  /** When the console was last heard, as an ISO instant; undefined before the first time. */
  readonly at: string | undefined;
}

/** The console speaks every 5 s at least; after this long without a word the pages say that they may be old. */
const silenceMs = 12_000;
/**
 * The first word comes at once. A browser may take an old line that leads nowhere, and it keeps several of them: so another one is
 * opened beside those that have not spoken. The pauses grow, so that a console in trouble is not asked ever more.
 */
const pausesMs = [1_000, 1_000, 1_500, 1_500, 2_000, 3_000];
const longestPauseMs = 5_000;
/** Some proxies keep a stream back until it ends: after so many tries without a word the pages say that they may be old. */
const mutesBelieved = 3;
/** Fewer than a browser opens to one address, so that pages and acts have room beside them. */
const mostLines = 4;

/** What the lines are made of, and what hears of them. */
interface Ends {
  readonly open: () => EventSource;
  /** Says when the computer is on a network again. */
  readonly online: EventTarget;
  readonly show: (change: (known: Live) => Live) => void;
  /** The line was lost: what is being read on it does not come any more. */
  readonly lost: () => void;
  readonly changed: (part: string) => void;
  /** Anything may have changed. */
  readonly missed: () => void;
  /** Somebody else may be signed in here, or nobody. */
  readonly askSession: () => void;
}

/** Keeps a line to the console that speaks; returns how to end that. */
export function followLines({ open: openLine, online, show, lost, changed, missed, askSession }: Ends): () => void {
  /** The line that speaks, and those that were opened and have not spoken yet, the oldest first. */
  let line: EventSource | undefined;
  let tried: EventSource[] = [];
  let tries = 0;
  let next: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  // Not before the first word: what changed between the first look at a page and that word was announced to nobody here either.
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
    // A line that fell silent may stay open for many minutes: only another one tells whether the console is there.
    silence = setTimeout(() => {
      lose();
      tryAnother(true);
    }, silenceMs);
    const message = JSON.parse(event.data) as { at: string; parts?: readonly string[] };
    // What changed while the line was down was announced to nobody here.
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
      // Another session may have begun in this browser, whose lines are told of changes. Without one, whoever follows ends this.
      closeAll();
      showLost();
      tryAnother();
      askSession();
    });
    source.onerror = () => {
      const refused = source.readyState === source.CLOSED;
      // The browser would open it again by itself, on an old line too.
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
