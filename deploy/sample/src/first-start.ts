import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const State = z.object({ start: z.iso.datetime({ precision: 3 }), seed: z.int() });

/**
 * The instant of the sample's first start, kept in a file (`.countersign/sample.json`), so that later starts play the same
 * events under the same ids. A file that cannot be understood is an error, not a new start: a new one would run everything twice.
 */
export function firstStart(path: string, now: string, seed: number): z.infer<typeof State> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const state = State.parse({ start: now, seed });
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(state)}\n`, { mode: 0o600, flag: 'wx' });
    return state;
  }
  try {
    return State.parse(JSON.parse(text));
  } catch {
    throw new Error(`${path} cannot be understood; remove it together with the rest of the state (npm run reset)`);
  }
}
