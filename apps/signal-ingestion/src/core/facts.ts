import { type Fault, signalKinds, unreadableIdentity, withoutAddresses } from '@countersign/contracts';
import type { Signal } from './signal.js';

/** The facts of a signal's type, without the persons it names and what is sealed: everything that other services may see. */
export const factsOf = (signal: Signal): Record<string, unknown> => signalKinds[signal.type].facts.parse(signal.data);

/**
 * The signal with cleaned facts: links lose user, query and fragment, and an address inside a text or a link is removed.
 * Identifiers stay: a message's id may look like an address without being one.
 */
export function cleaned(signal: Signal): Signal {
  const facts = Object.entries(factsOf(signal)).map(([name, value]) => {
    if (typeof value !== 'string' || name.endsWith('Id')) return [name, value];
    return [name, name === 'url' ? bareLink(value) : withoutAddresses(value, '[address]')];
  });
  return { ...signal, data: { ...signal.data, ...Object.fromEntries(facts) } } as Signal;
}

function bareLink(link: string): string {
  const url = new URL(link);
  url.search = '';
  url.hash = '';
  url.username = '';
  url.password = '';
  return withoutAddresses(url.href.replace(/%40/gi, '@'), '[address]');
}

/**
 * The signal without a reference or an address that its contract could not read, and the fault about it. The other identity still
 * names the contact.
 */
export function readable(signal: Signal): { readonly signal: Signal; readonly leftOut: readonly Fault[] } {
  const contact = 'contact' in signal.data ? signal.data.contact : undefined;
  const unread = identities.filter(({ member }) => contact?.[member] === unreadableIdentity);
  if (unread.length === 0) return { signal, leftOut: [] };
  const named = Object.fromEntries(Object.entries(contact ?? {}).filter(([, value]) => value !== unreadableIdentity));
  return {
    signal: { ...signal, data: { ...signal.data, contact: named } } as Signal,
    leftOut: unread.map(({ fault }) => fault),
  };
}

const identities: readonly { readonly member: 'ref' | 'email'; readonly fault: Fault }[] = [
  {
    member: 'ref',
    fault: {
      code: 'reference',
      detail: 'data.contact.ref: not printable ASCII of 1 to 200 without spaces; the contact was found by its address',
      field: 'data.contact.ref',
    },
  },
  {
    member: 'email',
    fault: {
      code: 'address',
      detail: 'data.contact.email: not an e-mail address (RFC 5321, RFC 6531); the contact was found by its ref',
      field: 'data.contact.email',
    },
  },
];
