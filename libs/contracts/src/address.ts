import { domainToASCII } from 'node:url';

/** An e-mail address as it was read. */
export interface Address {
  /** As it was written, without display name and surrounding white space: the address to which a mail is sent. */
  readonly address: string;
  /** The same text for every spelling of one address. It is never shown, and no mail is sent to it. */
  readonly identity: string;
}

/** RFC 5321 §4.1.2 with the letters of RFC 6531. Dots may be anywhere, because providers have given out such addresses. */
const dotString = /^[^\p{Cc}\p{Cs}\s"(),:;<>@[\\\]]+$/u;
const quotedString = /^"((?:[^\p{Cc}\p{Cs}"\\]|\\[\x20-\x7e])*)"$/u;
/** Labels of letters, digits, hyphens and underscores, in ASCII or any other script. */
const domainName = /^(?:[\w-]|[^\p{ASCII}\p{Cc}\p{Cs}\s])+(?:\.(?:[\w-]|[^\p{ASCII}\p{Cc}\p{Cs}\s])+)*$/u;
const ipv4Literal = /^\[(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!\])|(?=\]))){4}\]$/;
const otherLiteral = /^\[(?!IPv6:)[a-z0-9-]*[a-z0-9]:[\x21-\x5a\x5e-\x7e]+\]$/i;
const displayed = /^(?:"(?:[^"\\]|\\.)*"|[^"<])*<(.*)>$/s;
/** RFC 5321 §4.5.3.1: 64 octets before the @, 255 after it. */
const maxLength = 320;

/**
 * Reads an e-mail address: every mailbox of RFC 5321 and RFC 6531 (dotted and quoted local parts, domains as U-labels and A-labels,
 * address literals), with or without a display name. Undefined if the text is not an address. Identity: two addresses are the same
 * if they differ only in case, in quotes that are not needed, in Unicode composition (NFC) or in the form of a domain's labels.
 */
export function readAddress(text: string): Address | undefined {
  const trimmed = text.trim();
  const address = (displayed.exec(trimmed)?.[1] ?? trimmed).trim();
  const at = address.lastIndexOf('@');
  if (at < 1 || address.length > maxLength) return undefined;
  const written = address.slice(0, at);
  const local = dotString.test(written) ? written : quotedString.exec(written)?.[1]?.replace(/\\(.)/gs, '$1');
  const domain = domainIdentity(address.slice(at + 1));
  if (local === undefined || domain === undefined) return undefined;
  return { address, identity: `${local.normalize('NFC').toLowerCase()}@${domain}` };
}

function domainIdentity(domain: string): string | undefined {
  if (ipv4Literal.test(domain) || otherLiteral.test(domain)) return domain.toLowerCase();
  const ipv6 = /^\[IPv6:([0-9a-f:.]+)\]$/i.exec(domain)?.[1];
  if (ipv6 !== undefined) return URL.canParse(`http://[${ipv6}]`) ? new URL(`http://[${ipv6}]`).hostname : undefined;
  if (!domainName.test(domain)) return undefined;
  // URL rules would read a name of digits as a number, so they are used only for names that IDNA concerns.
  if (/^\p{ASCII}+$/u.test(domain)) return domain.toLowerCase();
  return domainToASCII(domain) || undefined;
}

/** Replaces the addresses in a running text. A word without a dot in its domain is left, because it may be a handle. */
export const withoutAddresses = (text: string, instead: string): string => text.replace(inText, instead);

const inText =
  /(?:"(?:[^"\\\p{Cc}]|\\.)+"|[^\s@<>",;:()/[\]\\]+)@(?:\[[^\s\]]+\]|[^\s@<>"',;:()/[\]]+\.[^\s@<>"',;:()/[\]]+)/gu;
