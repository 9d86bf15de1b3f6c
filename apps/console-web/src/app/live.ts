import { useEffect, useState } from 'react';
import { queries } from './queries.js';

/** How fresh what the pages show is. */
export interface Live {
  readonly connected: boolean;
  /** When the console was last heard, as an ISO instant; undefined before the first time. */
  readonly at: string | undefined;
}

/** The console speaks every 5 s at least; after this long without a word the pages say that they may be old. */
const silenceMs = 12_000;
/** The first word comes at once. Without it the browser may have taken an old line that leads nowhere, and another one is tried. */
const firstWordMs = 5_000;
const anotherMs = 1_000;
/** A stream that was refused or fell silent is not opened again by the browser. */
const againMs = 3_000;

/** Follows the console's stream of changes (`GET /v1/live`) and reads again what has changed. */
export function useLive(enabled: boolean): Live {
  const [live, setLive] = useState<Live>({ connected: true, at: undefined });
  useEffect(() => (enabled ? follow(setLive) : undefined), [enabled]);
  return live;
}

function follow(show: (change: (known: Live) => Live) => void): () => void {
  let source: EventSource;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  // Not before the first word: what changed between the first look at a page and that word was announced to nobody here either.
  let connected = false;
  const lose = () => {
    connected = false;
    show((known) => ({ ...known, connected: false }));
  };
  // A line that fell silent may stay open for many minutes: only another one tells whether the console is there.
  const giveUp = () => {
    lose();
    source.close();
    clearTimeout(again);
    again = setTimeout(open, anotherMs);
  };
  const hear = (event: MessageEvent<string>): { parts?: readonly string[] } => {
    clearTimeout(silence);
    silence = setTimeout(giveUp, silenceMs);
    const message = JSON.parse(event.data) as { at: string; parts?: readonly string[] };
    // What changed while the line was down was announced to nobody here.
    if (!connected) void queries.invalidateQueries();
    connected = true;
    show(() => ({ connected: true, at: message.at }));
    return message;
  };
  const open = () => {
    source = new EventSource('/v1/live');
    silence = setTimeout(giveUp, firstWordMs);
    source.addEventListener('alive', hear);
    source.addEventListener('changed', (event) => {
      for (const part of hear(event).parts ?? []) void queries.invalidateQueries({ queryKey: [part] });
    });
    source.addEventListener('ended', () => {
      source.close();
      void queries.invalidateQueries({ queryKey: ['session'] });
    });
    source.onerror = () => {
      lose();
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(silence);
      again = setTimeout(open, againMs);
      void queries.invalidateQueries({ queryKey: ['session'] });
    };
  };
  open();
  return () => {
    clearTimeout(silence);
    clearTimeout(again);
    source.close();
  };
}
