import { domainToUnicode } from 'node:url';
import type { PlacedText } from '@countersign/contracts';
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

/** The links of a text. A text that is a link is one whole link. */
export function linksIn({ text, role }: PlacedText): readonly Link[] {
  if (role === 'link') return [linkOf(text, text, 0, text.length)];
  // A placeholder is part of the word that it is in.
  const masked = text.includes('{{')
    ? text.replace(/\{\{[^{}\n]{0,80}\}\}/g, (found) => 'x'.repeat(found.length))
    : text;
  return wordsIn(masked).flatMap(([from, to]) => {
    return linksOfWord(masked.slice(from, to)).map(({ start, end, address }) =>
      linkOf(address, text.slice(from + start, from + end), from + start, from + end),
    );
  });
}

/** The words that could be links, by their places: those with a dot, a colon or a slash. */
function wordsIn(text: string): readonly (readonly [number, number])[] {
  const words: [number, number][] = [];
  let start = 0;
  let candidate = false;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 32;
    if (isEdge(code)) {
      if (candidate) words.push([start, i]);
      start = i + 1;
      candidate = false;
    } else if (code === 46 || code === 58 || code === 47 || code === 92 || (code > 127 && isDot(code)))
      candidate = true;
  }
  return words;
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

function linksOfWord(word: string): readonly Found[] {
  let last = word.length;
  while (last > 0 && closing.has(word[last - 1] ?? '')) last -= 1;
  const whole = word.slice(0, last);
  if (!punctuation.test(whole)) return [];
  const found: Found[] = [];
  let start = 0;
  for (const piece of whole.split(separators)) {
    const schemes = [...piece.matchAll(scheme)];
    for (const { index } of schemes) found.push(...named(whole, start + index, start + piece.length));
    const bare = schemes.length === 0 ? addressOf(piece) : undefined;
    if (bare !== undefined) found.push({ start, end: start + piece.length, address: bare });
    start += piece.length + 1;
  }
  return found;
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

/** The address of a word that has no scheme, if programs make a link of it. */
function addressOf(word: string): string | undefined {
  const bare = word.replace(/^[_~‘“„«‚]+/, '');
  const relative = /^[\\/]{2}(?=[^\\/])/.test(bare);
  const host = bare.slice(relative ? 2 : 0).split(/[/\\?#:]/, 1)[0] ?? '';
  if (host.includes('@') || !(relative ? punctuation.test(host) : isBareHost(host, bare))) return undefined;
  return `http:${relative ? '' : '//'}${bare}`;
}

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
