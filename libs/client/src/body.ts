import { TooLong, wholeText } from '@countersign/contracts';

/** Far above anything that a service answers in one piece. */
const longest = 64 * 1024 * 1024;
/** A line of an export has one record; the first line of an earlier recorder's has all its checkpoints. */
const longestLine = 4 * longest;

/**
 * The JSON of an answer, of at most `bytes`: whatever listens there may never end. Beyond them the connection is closed and it
 * throws `TooLong`; what is no JSON throws too.
 */
export async function jsonOf<T>(response: Response, bytes = longest): Promise<T> {
  return JSON.parse(await wholeText(response.body, bytes)) as T;
}

/**
 * The lines of an answer that may be long, as they come; of each at most `length` characters are held: beyond them the connection is
 * closed and it throws `TooLong`. Throws too where the answer breaks off or is not UTF-8.
 */
export async function* linesOf(response: Response, length = longestLine): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let begun = '';
  for await (const chunk of response.body ?? []) {
    const [first = '', ...more] = decoder.decode(chunk, { stream: true }).split('\n');
    begun += first;
    for (const next of more) {
      yield begun;
      begun = next;
    }
    if (begun.length > length) throw new TooLong(length);
  }
  begun += decoder.decode();
  if (begun !== '') yield begun;
}
