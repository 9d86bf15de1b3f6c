/**
 * The one JSON object that a model's text holds: the text itself, what stands in its code fences, or what stands from its first
 * brace to its last; reasoning in tags before it does not count. Undefined where there is none, or where fences hold more than one.
 * Its strings are such that any store holds them: no NUL, no half of a surrogate pair.
 */
export function findJson(text: string): unknown {
  const whole = parse(text.trim());
  if (whole !== undefined) return whole;
  const said = withoutReasoning(text);
  // Every second piece between lines of three back-ticks is inside a fence.
  const fenced = said
    .split(/^[ \t]*```.*$/m)
    .filter((_, n) => n % 2 === 1)
    .map(parse)
    .filter((json) => typeof json === 'object' && json !== null);
  if (fenced.length > 0) return fenced.length === 1 ? fenced[0] : undefined;
  return parse(said.slice(said.indexOf('{'), said.lastIndexOf('}') + 1));
}

const reasoning = 'think|thinking|thought|reasoning';

/** The text after the last end of a reasoning; nothing where a reasoning has no end. Some servers leave out where it begins. */
function withoutReasoning(text: string): string {
  const said = text.split(new RegExp(`</(?:${reasoning})>`, 'i')).at(-1) ?? '';
  return new RegExp(`^\\s*<(?:${reasoning})>`, 'i').test(said) ? '' : said;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value) =>
      typeof value === 'string' ? value.replaceAll('\u0000', '\ufffd').toWellFormed() : value,
    );
  } catch {
    return undefined;
  }
}
