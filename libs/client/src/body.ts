import { TooLong, wholeText } from '@countersign/contracts';

/** Far larger than any answer that a service gives in one piece. */
const longest = 64 * 1024 * 1024;
/** A line of an export has one record; the first line of an earlier recorder's has all its checkpoints. */
const longestLine = 4 * longest;

/**
 * The JSON of an answer, of at most `bytes`: the answer of an unknown program may never end. Above the bound, the connection is
 * closed and it throws `TooLong`. It also throws if the answer is not JSON.
 */
export async function jsonOf<T>(response: Response, bytes = longest): Promise<T> {
  return JSON.parse(await wholeText(response.body, bytes)) as T;
}

/**
 * The lines of an answer that may be long, as they arrive. At most `length` characters of each are held. Above that, the connection
 * is closed and it throws `TooLong`. It also throws if the answer breaks off or is not UTF-8.
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
