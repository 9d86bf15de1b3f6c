import { type Folded, foldedText } from './folded.js';

/** Where a phrase is in a folded text, in UTF-16 units of that text. */
export interface Match {
  /** The position of the phrase in the list of the setting. */
  readonly phrase: number;
  readonly start: number;
  readonly end: number;
}

/** Finds phrases in a folded text, in one pass and without backtracking. */
export interface Phrases {
  /** The first matches of a text in their order, `most` at most; where several phrases begin at one place, the longest. They may overlap. */
  readonly find: (folded: Folded, most: number) => readonly Match[];
  readonly has: (folded: Folded) => boolean;
}

/** The phrases that go on after what leads to this node. */
interface Node {
  readonly next: Map<number, Node>;
  /** The phrase that ends here, with a whole word; and the one that ended in `*`, so that its last word may go on. */
  whole: number | undefined;
  open: number | undefined;
}

export function phrasesOf(written: readonly string[]): Phrases {
  const root = nodeOf();
  for (const [phrase, given] of written.entries()) {
    const open = given.endsWith('*') && given.length > 1;
    const text = foldedText(open ? given.slice(0, -1) : given)
      .replace(/ +/g, ' ')
      .trim();
    if (text !== '') add(root, text, phrase, open);
  }
  // A look-up by number is much quicker than in a map, and most texts are ASCII.
  const ascii = Array.from({ length: 128 }, (_, code) => root.next.get(code));

  const find: Phrases['find'] = ({ text }, most) => {
    const found: Match[] = [];
    if (root.next.size === 0) return found;
    for (let i = 0; i < text.length && found.length < most; i++) {
      const code = text.charCodeAt(i);
      const first = code < 128 ? ascii.at(code) : root.next.get(code);
      const match = first && !joined(text, i) ? longest(first, text, i) : undefined;
      if (match) found.push(match);
    }
    return found;
  };
  return { find, has: (folded) => find(folded, 1).length > 0 };
}

const nodeOf = (): Node => ({ next: new Map(), whole: undefined, open: undefined });

function add(root: Node, text: string, phrase: number, open: boolean): void {
  let node = root;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const next = node.next.get(code) ?? nodeOf();
    node.next.set(code, next);
    node = next;
  }
  if (open) node.open ??= phrase;
  else node.whole ??= phrase;
}

/** The longest phrase that begins at `start`, whose first character leads to `first`. A space of it is one or more of the text. */
function longest(first: Node, text: string, start: number): Match | undefined {
  let found: Match | undefined;
  let end = start + 1;
  for (let node: Node | undefined = first; node; node = node.next.get(text.charCodeAt(end++))) {
    if (text.charCodeAt(end - 1) === space) while (text.charCodeAt(end) === space) end += 1;
    const goesOn = joined(text, end);
    if (node.whole !== undefined && !goesOn) found = { phrase: node.whole, start, end };
    else if (node.open !== undefined) found = { phrase: node.open, start, end: goesOn ? endOfWord(text, end) : end };
  }
  return found;
}

const space = 32;

function endOfWord(text: string, from: number): number {
  let end = from;
  while (joined(text, end)) end += 1;
  return end;
}

/** Whether the characters before and at an index belong to one word. */
function joined(text: string, index: number): boolean {
  return index > 0 && index < text.length && isWord(text.charCodeAt(index - 1)) && isWord(text.charCodeAt(index));
}

/** Letters, digits and marks, but not of scripts that put no spaces between words. */
function isWord(code: number): boolean {
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90);
  const character = String.fromCharCode(code);
  return word.test(character) && !unspaced.test(character);
}

const word = /[\p{L}\p{N}\p{M}]/u;
const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
