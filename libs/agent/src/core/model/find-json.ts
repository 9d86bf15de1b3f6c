import { refuseTooDeep } from '@countersign/contracts';

/**
 * The one JSON object in a model's text: the whole text, or the part between a brace and its closing brace, whatever is around it
 * (a code fence, words). Reasoning in tags before it does not count. Undefined if there is none, or more than one. Every store can
 * hold its strings: no NUL, and no half of a surrogate pair.
 */
export function findJson(text: string): unknown {
  const whole = parse(text.trim());
  if (whole !== undefined) return whole;
  const groups = groupsOf(withoutReasoning(text));
  if (groups.length > mostGroups) return undefined;
  const found = groups.map(parse).filter((json) => json !== undefined);
  return found.length === 1 ? found[0] : undefined;
}

/** A text with more groups of braces is not an answer. Each group that is not JSON costs an exception. */
const mostGroups = 100;

const reasoning = 'think|thinking|thought|reasoning';

/** The text after the last end of a reasoning; empty if a reasoning has no end. Some servers leave out its beginning. */
function withoutReasoning(text: string): string {
  const answer = text.split(new RegExp(`</(?:${reasoning})>`, 'i')).at(-1) ?? '';
  return new RegExp(`^\\s*<(?:${reasoning})>`, 'i').test(answer) ? '' : answer;
}

/** The parts in braces, including the braces. A brace in a JSON string closes nothing; outside braces a quotation mark is ordinary text. */
function groupsOf(text: string): string[] {
  const found: string[] = [];
  let [depth, from, quoted] = [0, 0, false];
  for (let n = 0; n < text.length; n++) {
    const mark = text[n];
    if (quoted) {
      if (mark === '\\') n++;
      else if (mark === '"') quoted = false;
    } else if (mark === '{') {
      if (depth++ === 0) from = n;
    } else if (depth > 0) {
      if (mark === '"') quoted = true;
      else if (mark === '}' && --depth === 0) found.push(text.slice(from, n + 1));
    }
  }
  return found;
}

function parse(text: string): unknown {
  try {
    refuseTooDeep(text);
    return JSON.parse(text, (_key, value) =>
      typeof value === 'string' ? value.replaceAll('\u0000', '\ufffd').toWellFormed() : value,
    );
  } catch {
    return undefined;
  }
}
