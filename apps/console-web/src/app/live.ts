import { useEffect, useState } from 'react';
import { lineWasLost } from './api.js';
import { fresh, queries } from './queries.js';

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
/** Fewer than a browser opens to one address, so that pages and acts have room beside them. */
const mostLines = 4;

/** Follows the console's stream of changes (`GET /v1/live`) and reads again what has changed. */
export function useLive(enabled: boolean): Live {
  const [live, setLive] = useState<Live>({ connected: true, at: undefined });
  useEffect(() => (enabled ? follow(setLive) : undefined), [enabled]);
  return live;
}

function follow(show: (change: (known: Live) => Live) => void): () => void {
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
  const lose = () => {
    clearTimeout(silence);
    line?.close();
    line = undefined;
    connected = false;
    tries = 0;
    lineWasLost();
    show((known) => ({ ...known, connected: false }));
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
    if (!connected) void fresh.now();
    connected = true;
    tries = 0;
    show(() => ({ connected: true, at: message.at }));
    return message;
  };
  const open = () => {
    const source = new EventSource('/v1/live');
    tried.push(source);
    if (tried.length > mostLines) tried.shift()?.close();
    tryAnother();
    source.addEventListener('alive', (event) => hear(source, event));
    source.addEventListener('changed', (event) => {
      for (const part of hear(source, event).parts ?? []) fresh.changed({ queryKey: [part] });
    });
    source.addEventListener('ended', () => {
      stop();
      void queries.invalidateQueries({ queryKey: ['session'] });
    });
    source.onerror = () => {
      const refused = source.readyState === EventSource.CLOSED;
      // The browser would open it again by itself, on an old line too.
      source.close();
      tried = tried.filter((other) => other !== source);
      if (line === source) {
        lose();
        tryAnother();
      } else if (line === undefined) show((known) => ({ ...known, connected: false }));
      if (refused) void queries.invalidateQueries({ queryKey: ['session'] });
    };
  };
  const stop = () => {
    clearTimeout(silence);
    clearTimeout(next);
    for (const source of [line, ...tried]) source?.close();
    window.removeEventListener('online', online);
  };
  const online = () => {
    if (connected) return;
    tries = 0;
    tryAnother(true);
  };
  window.addEventListener('online', online);
  open();
  return stop;
}
