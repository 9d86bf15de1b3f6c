import { domainToUnicode } from 'node:url';
import { type PlacedText, placeholderNames } from '@countersign/contracts';
import { countryEndings } from './regions.js';

/** A link in a text, as mail programs and browsers read it. */
export interface Link {
  readonly start: number;
  readonly end: number;
  /** Undefined if it cannot be parsed. */
  readonly url: URL | undefined;
  /** A placeholder is in its host, so nobody knows yet where it goes. */
  readonly open: boolean;
}

/** The links of a text, found as far as they are asked for. A text that is a link is one whole link. */
export function* linksIn({ text, role }: PlacedText): Generator<Link> {
  if (role === 'link') return yield linkOf(text, text, 0, text.length);
  // A placeholder is part of the word that it is in.
  const masked = text.includes('{{') ? text.replace(braces, (found) => 'x'.repeat(found.length)) : text;
  yield* linksBetween(masked, text, 0);
  if (masked === text) return;
  // What nobody fills in stays as it is, so a link in it is a link.
  for (const { 0: found, index } of text.matchAll(braces)) {
    if (!placeholders.has(found)) yield* linksBetween(found.slice(2, -2), found.slice(2, -2), index + 2);
  }
}

const braces = /\{\{[^{}\n]{0,80}\}\}/g;
const placeholders: ReadonlySet<string> = new Set(placeholderNames.map((name) => `{{${name}}}`));

/** `masked`: what is searched; `text`: the same, as it is written; `at`: where it begins. */
function* linksBetween(masked: string, text: string, at: number): Generator<Link> {
  for (const [from, to] of wordsIn(masked)) {
    for (const { start, end, address } of linksOfWord(masked.slice(from, to)))
      yield linkOf(address, text.slice(from + start, from + end), at + from + start, at + from + end);
  }
}

/** The words that could be links, by their places: those with a dot, a colon or a slash. */
function* wordsIn(text: string): Generator<readonly [number, number]> {
  let start = 0;
  let candidate = false;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 32;
    if (isEdge(code)) {
      if (candidate) yield [start, i];
      start = i + 1;
      candidate = false;
    } else if (code === 46 || code === 58 || code === 47 || code === 92 || (code > 127 && isDot(code)))
      candidate = true;
  }
}

/** White space, and what no link goes on over: quotes, angle brackets and back ticks. */
const isEdge = (code: number): boolean =>
  code <= 32 ||
  code === 34 ||
  code === 60 ||
  code === 62 ||
  code === 96 ||
  (code > 127 && /\s/.test(String.fromCharCode(code)));
const isDot = (code: number): boolean => code === 0x3002 || code === 0xff0e || code === 0xff61;

/** `address` is what is parsed, `written` how the text has it. */
function linkOf(address: string, written: string, start: number, end: number): Link {
  const authority =
    written
      .replace(/^[a-z][a-z0-9+.-]{0,30}:/i, '')
      .replace(/^[\\/]{0,9}/, '')
      .split(/[\\/?#]/, 1)[0] ?? '';
  return { start, end, url: URL.parse(address) ?? undefined, open: /[{}]/.test(authority) };
}

const punctuation = /[.:/\\。．｡]/;
/** A scheme that opens something. Slashes may be missing or turned: a browser accepts both. */
const scheme =
  /(?:[a-z][a-z0-9+.-]{0,20}:(?=[\\/]{2})|https?:|(?<![a-z])(?:mailto:|(?:sms|tel):(?=[+\d])|(?:javascript|vbscript):|data:(?=[a-z]{1,20}\/)))(?=.)/gi;
/** Where a program may end a link, or may not. */
const separators = /[()[\]{}|,;'*]/;
const closing = new Set(")]}'*_~|’”“»,.;:!?…");

interface Found {
  readonly start: number;
  readonly end: number;
  readonly address: string;
}

function* linksOfWord(word: string): Generator<Found> {
  let last = word.length;
  while (last > 0 && closing.has(word[last - 1] ?? '')) last -= 1;
  const whole = word.slice(0, last);
  if (!punctuation.test(whole)) return;
  let start = 0;
  for (const piece of whole.split(separators)) {
    const schemes = [...piece.matchAll(scheme)];
    yield* bareIn(piece.slice(0, schemes[0]?.index), start);
    for (const { index } of schemes) yield* named(whole, start + index, start + piece.length);
    start += piece.length + 1;
  }
}

/**
 * A link with a scheme, up to the first character at which a program may end it. If it goes elsewhere when it is read to the end of
 * the word, it counts as both: `https://example.com(@other.example`.
 */
function named(word: string, start: number, end: number): readonly Found[] {
  const narrow = { start, end, address: word.slice(start, end) };
  if (end === word.length) return [narrow];
  const wide = { start, end: word.length, address: word.slice(start) };
  const url = URL.parse(wide.address);
  if (!url || /[^\w.[\]:-]/.test(url.hostname)) return [narrow];
  if (url.host !== '' && url.host === URL.parse(narrow.address)?.host) return [narrow];
  return url.hostname.startsWith('[') || !url.protocol.startsWith('http') ? [wide] : [narrow, wide];
}

/** The links without a scheme in a piece of a word that begins at `start`: two slashes and a name, or a name alone. */
function* bareIn(piece: string, start: number): Generator<Found> {
  const slashes = relative.exec(piece)?.index;
  const authority = slashes === undefined ? '' : (piece.slice(slashes + 2).split(/[/\\?#]/, 1)[0] ?? '');
  if (slashes === undefined || !punctuation.test(authority)) return yield* namesIn(piece, start);
  yield* namesIn(piece.slice(0, slashes), start);
  yield { start: start + slashes, end: start + piece.length, address: `http:${piece.slice(slashes)}` };
}

const relative = /(?<![\p{L}\p{N}:\\/])[\\/]{2}(?=[^\\/])/u;

/**
 * The names that programs make a link of, beside whatever punctuation. A port, a path, a query or a fragment belongs to its name. What
 * belongs to an e-mail address is no link.
 */
function* namesIn(piece: string, start: number): Generator<Found> {
  for (const { 0: name, index } of piece.matchAll(hostNames)) {
    const host = name.replace(/^[_-]+|[_-]+$/g, '');
    const from = index + name.indexOf(host);
    const rest = piece.slice(from + host.length);
    const inAddress = rest.startsWith('@') || (piece[from - 1] === '@' && !rest.startsWith('/'));
    if (inAddress || !isBareHost(host, host + rest)) continue;
    const tail = /^\.?(?::\d{1,5})?[/\\?#]/.test(rest) ? rest : (/^:\d{1,5}(?!\d)/.exec(rest)?.[0] ?? '');
    const end = from + host.length + tail.length;
    yield { start: start + from, end: start + end, address: `http://${piece.slice(from, end)}` };
    if (end === piece.length) return;
  }
}

/** Labels with dots between them. The look-behind makes each label be looked at once. */
const hostNames = /(?<![\p{L}\p{N}\p{M}_-])[\p{L}\p{N}\p{M}_-]+(?:[.。．｡][\p{L}\p{N}\p{M}_-]+)+/gu;

/** Whether programs make a link of a name that has no scheme. A name with a path is one in any case. */
function isBareHost(host: string, whole: string): boolean {
  if (!bareHost.test(host)) return false;
  const labels = host.toLowerCase().split(/[.。．｡]/);
  const ending = labels.at(-1) ?? '';
  if (labels.some((label) => label === '' || label.length > 63)) return false;
  if (labels[0] === 'www' && labels.length > 1) return true;
  const hasPath = whole.charAt(host.length) === '/';
  if (/^\d/.test(ending)) return hasPath && labels.length === 4 && labels.every((label) => /^\d{1,3}$/.test(label));
  if (!/^(?:\p{L}{2,}|xn--[a-z0-9-]+)$/u.test(ending)) return false;
  return hasPath || ending.startsWith('xn--') || /[^a-z]/.test(ending) || isEnding(ending);
}

const bareHost = /^[\p{L}\p{N}\p{M}_-]+(?:[.。．｡][\p{L}\p{N}\p{M}_-]+)+$/u;
const endings: ReadonlySet<string> = new Set(
  (
    'com net org info biz app dev xyz online site shop store top club link click live news tech cloud agency digital email page ' +
    'world today life pro mobi name edu gov mil int io ai co zip mov web blog team work support help services solutions group'
  ).split(' '),
);
const isEnding = (label: string): boolean => endings.has(label) || countryEndings.has(label);

/** A host as people read it, with the letters of its own script. */
export const readableHost = (host: string): string => domainToUnicode(host) || host;
