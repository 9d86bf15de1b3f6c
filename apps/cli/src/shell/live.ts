import { codeOf, Failure, type Session } from '@countersign/client';
import { TooLong } from '@countersign/contracts';
import { eventReader, type LiveEvent } from '../core/watch.js';

/** The console sends something at least every 5 s. */
const longestSilenceMs = 15_000;

/**
 * The console's announcements as they happen, until it ends the stream. If the stream breaks off or is silent for too long, throws a
 * `Failure` that may pass. The connection is closed then, and also when the caller stops reading.
 */
export async function* liveEvents(
  s: Pick<Session, 'console'>,
  silenceMs = longestSilenceMs,
): AsyncGenerator<LiveEvent, void, undefined> {
  // Only the signal ends a read that is under way: the end of a generator waits for the read.
  const silence = new AbortController();
  const hush = () => setTimeout(() => silence.abort(), silenceMs);
  let timer = hush();
  try {
    const next = eventReader();
    for await (const line of await s.console.lines('/v1/live', silence.signal)) {
      clearTimeout(timer);
      const event = next(line);
      // The time that the reader takes for an event does not count as silence.
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
