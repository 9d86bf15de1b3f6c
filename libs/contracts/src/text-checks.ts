import { readAddress } from './address.js';
import { kindSpec } from './catalogue.js';
import { type Complain, checkPlain, known, repeatedOnes } from './complaints.js';
import type { Part, Path } from './config-file.js';
import { readLinkHost } from './link-hosts.js';
import { noticeParts, type TextRules } from './text-rules.js';

/** Kinds of actions that have a text, as the payload's contract knows. */
const withTexts: readonly string[] = ['ads.publish_creative', 'email.send', 'crm.create_task'];

/** Checks settings about texts that are valid by their schema, and can never match or never be met. `at`: where they are in the file. */
export function checkTexts(
  part: Part<unknown>,
  at: Path,
  texts: TextRules,
  sources: readonly string[] | undefined,
  complain: Complain,
): void {
  const { bannedTerms = [], linkHosts = [], requiredElements = [], dataNotice, personalData, claims = [] } = texts;
  const phrases = (path: Path, given: readonly string[]): void => {
    repeatedOnes(part, path, given, complain);
    for (const [i, phrase] of given.entries()) checkPhrase(part, [...path, i], phrase, complain);
  };
  phrases([...at, 'bannedTerms'], bannedTerms);

  repeatedOnes(part, [...at, 'linkHosts'], linkHosts, complain);
  for (const [i, host] of linkHosts.entries())
    if (!readLinkHost(host)) complain(part, [...at, 'linkHosts', i], hostAdvice(host));

  const elements = [...at, 'requiredElements'];
  for (const [i, { element, kinds, firstMessageOnly, anyOf }] of requiredElements.entries()) {
    checkPlain(part, [...elements, i, 'element'], element, complain);
    if (requiredElements.findIndex((other) => other.element === element) < i)
      complain(part, [...elements, i, 'element'], `"${element}" is listed already`);
    repeatedOnes(part, [...elements, i, 'kinds'], kinds, complain);
    for (const [k, kind] of kinds.entries()) {
      const place = [...elements, i, 'kinds', k];
      if (!withTexts.includes(kind)) complain(part, place, `has no text; ${known(withTexts)}`);
      else if (firstMessageOnly && !kindSpec(kind)?.touches)
        complain(part, place, 'is no message to a person, so it is never the first one; leave out firstMessageOnly');
    }
    phrases([...elements, i, 'anyOf'], anyOf);
  }

  if (dataNotice) {
    const notice = [...at, 'dataNotice'];
    for (const name of noticeParts) phrases([...notice, name], dataNotice[name]);
    repeatedOnes(part, [...notice, 'fromThePerson'], dataNotice.fromThePerson, complain);
    for (const [i, source] of dataNotice.fromThePerson.entries())
      if (sources && !sources.some((given) => given === source || source.startsWith(`${given}/`)))
        complain(part, [...notice, 'fromThePerson', i], `sources.yaml has no such source; ${known(sources, source)}`);
  }

  for (const [i, ours] of (personalData?.ours ?? []).entries())
    if (!isOurs(ours))
      complain(
        part,
        [...at, 'personalData', 'ours', i],
        'an e-mail address, a domain such as @example.com, or a telephone number with at least 6 digits is expected',
      );

  for (const [i, { claim, evidence }] of claims.entries()) {
    checkPhrase(part, [...at, 'claims', i, 'claim'], claim, complain);
    if (claims.findIndex((other) => other.claim === claim) < i)
      complain(part, [...at, 'claims', i, 'claim'], `"${claim}" is listed already`);
    phrases([...at, 'claims', i, 'evidence'], evidence);
  }
}

function checkPhrase(part: Part<unknown>, path: Path, phrase: string, complain: Complain): void {
  checkPlain(part, path, phrase, complain);
  const words = phrase.replace(/\*$/, '');
  if (words.trim() === '') complain(part, path, 'has no word, so it would never be found');
  else if (words.includes('*'))
    complain(
      part,
      path,
      'a * stands only at the end, where it lets the last word go on; write the words that are meant',
    );
  else if (/^\s|\s$/.test(phrase)) complain(part, path, 'begins or ends with a space; leave it out');
}

function hostAdvice(written: string): string {
  const name = written
    .replace(/^[a-z]+:\/\//i, '')
    .replace(/[/?#].*$/s, '')
    .replace(/^.*@/s, '')
    .replace(/\.$/, '');
  const meant = name !== written && readLinkHost(name) ? `; did you mean "${name}"?` : '';
  return `a host such as example.com, *.example.com for its subdomains, or example.com:8443 is expected${meant}`;
}

const isOurs = (text: string): boolean => {
  if (text.startsWith('@')) return readLinkHost(text.slice(1))?.port === '';
  if (text.includes('@')) return readAddress(text) !== undefined;
  return /^\+?[\d\s().\-/]+$/.test(text) && text.replace(/\D/g, '').length >= 6;
};
