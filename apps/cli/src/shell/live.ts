import { codeOf, Failure, type Session } from '@countersign/client';
import { TooLong } from '@countersign/contracts';
import { eventReader, type LiveEvent } from '../core/watch.js';

/** The console speaks every 5 s at least. */
const longestSilenceMs = 15_000;

/**
 * What the console says as it happens, until it ends the stream. Throws a `Failure` that may pass where the stream breaks off, or is
 * silent for too long; its connection is closed then, and where nobody reads on.
 */
export async function* liveEvents(
  s: Pick<Session, 'console'>,
  silenceMs = longestSilenceMs,
): AsyncGenerator<LiveEvent, void, undefined> {
  // Nothing but the signal ends a read that is under way: the end of a generator waits for it.
  const silence = new AbortController();
  const hush = () => setTimeout(() => silence.abort(), silenceMs);
  let timer = hush();
  try {
    const next = eventReader();
    for await (const line of await s.console.lines('/v1/live', silence.signal)) {
      clearTimeout(timer);
      const event = next(line);
      // What the reader does with it takes its own time.
      if (event) yield event;
      timer = hush();
    }
  } catch (error) {
    if (silence.signal.aborted)
      throw new Failure(2, `the console said nothing for ${silenceMs / 1_000} s`, undefined, true);
    if (error instanceof Failure || error instanceof TooLong) throw error;
    throw new Failure(2, `the stream of the console broke off (${codeOf(error)})`, undefined, true);
  } finally {
    clearTimeout(timer);
  }
}
