import { own } from '@countersign/contracts';

/**
 * A text in the form in which phrases are compared, with the place in the original of each of its UTF-16 units. Lower case,
 * compatibility forms resolved (NFKD), invisible characters left out, each white space a space, and a letter of another script that
 * looks like a Latin letter as that letter. Typographic hyphens, dashes and apostrophes are those of ASCII.
 */
export interface Folded {
  readonly text: string;
  /** Where a unit of `text` begins in the original; for the length of `text`, the length of the original. */
  readonly from: (index: number) => number;
}

/** Lower-case letters, and the Latin letters that they, or their capitals, look like; and signs in another form. */
const lookAlikes: Readonly<Record<string, string>> = {
  ...{ а: 'a', в: 'b', е: 'e', к: 'k', м: 'm', н: 'h', о: 'o', р: 'p', с: 'c', т: 't', у: 'y', х: 'x' },
  ...{ і: 'i', ј: 'j', ѕ: 's', һ: 'h', ԁ: 'd', ԛ: 'q', ԝ: 'w', ӏ: 'l' },
  ...{ α: 'a', β: 'b', γ: 'y', ε: 'e', ζ: 'z', η: 'n', ι: 'i', κ: 'k', ν: 'v', ο: 'o', ρ: 'p', τ: 't', υ: 'u' },
  ...{ χ: 'x', ω: 'w', ı: 'i', ȷ: 'j', ɑ: 'a', ɡ: 'g', ɩ: 'i', ʏ: 'y', ß: 'ss' },
  ...{ '\u2010': '-', '\u2011': '-', '\u2012': '-', '\u2013': '-', '\u2014': '-', '\u2015': '-', '\u2212': '-' },
  ...{ '\u2018': "'", '\u2019': "'", '\u02bc': "'" },
};

const ascii = /^[\p{ASCII}]*$/u;
const invisible = /\p{Default_Ignorable_Code_Point}/gu;

export function fold(original: string): Folded {
  if (ascii.test(original)) return { text: lower(original), from: (index) => index };
  const parts: string[] = [];
  const places: number[] = [];
  let at = 0;
  for (const character of original) {
    const folded = ascii.test(character) ? lower(character) : foldedCharacter(character);
    for (let i = 0; i < folded.length; i++) places.push(at);
    parts.push(folded);
    at += character.length;
  }
  places.push(original.length);
  return { text: parts.join(''), from: (index) => places.at(index) ?? original.length };
}

/** The text alone, for what has no place: a phrase of a setting, a host. */
export const foldedText = (text: string): string => fold(text).text;

const lower = (text: string): string => text.toLowerCase().replace(/[\t\n\v\f\r]/g, ' ');

function foldedCharacter(character: string): string {
  const plain = character.normalize('NFKD').replace(invisible, '');
  return [...plain]
    .map((part) => own(lookAlikes, part.toLowerCase()) ?? part.toLowerCase())
    .join('')
    .replace(/\s/gu, ' ');
}
