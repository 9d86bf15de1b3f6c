import { useEffect, useState } from 'react';
import { lineWasLost } from './api.js';
import { time } from './console-time.js';
import { followLines, type Live } from './lines.js';
import { fresh, queries } from './queries.js';

/** Follows the console's stream of changes (`GET /v1/live`) as long as this session lasts, and reads again what has changed. */
export function useLive(session: string | undefined): Live {
  const [live, show] = useState<Live>({ connected: true, at: undefined });
  useEffect(() => {
    if (session === undefined) return;
    return followLines({
      open: () => new EventSource('/v1/live'),
      online: window,
      show,
      setTime: time.set,
      lost: lineWasLost,
      changed: (part) => fresh.changed({ queryKey: [part] }),
      missed: () => void fresh.now(),
      askSession: () => void queries.invalidateQueries({ queryKey: ['session'] }),
    });
  }, [session]);
  return live;
}
