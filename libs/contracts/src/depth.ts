/** How deep JSON from outside may nest. What we write ourselves nests a tenth of it. Recursive code stays far from the end of the stack. */
export const maxDepth = 100;

/** JSON that nests deeper than `maxDepth`. */
export class TooDeep extends RangeError {
  constructor() {
    super(`nested deeper than ${maxDepth} levels`);
  }
}

/**
 * JSON.parse of a text from outside. A text that nests deeper than `maxDepth` is refused before it is parsed, so that no later step
 * (a schema, a digest, JSON.stringify) runs out of stack. Throws TooDeep, or SyntaxError.
 */
export function parseJson(text: string): unknown {
  refuseTooDeep(text);
  return JSON.parse(text);
}

/** Throws TooDeep if a JSON text nests deeper than `maxDepth`. For a text that is not JSON the result means nothing. */
export function refuseTooDeep(text: string): void {
  if (!hasMany(text, '[') && !hasMany(text, '{')) return;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === backslash) at++;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    else if (code === openList || code === openObject) {
      if (++depth > maxDepth) throw new TooDeep();
    } else if (code === closeList || code === closeObject) depth--;
  }
}

const [quote, backslash, openList, closeList, openObject, closeObject] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

/** Whether a character occurs often enough for a text to nest too deep. For most texts this is the only check. */
function hasMany(text: string, opener: string): boolean {
  let at = -1;
  for (let found = 0; found <= maxDepth / 2; found++) {
    at = text.indexOf(opener, at + 1);
    if (at < 0) return false;
  }
  return true;
}
