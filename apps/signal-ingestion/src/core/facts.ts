import { signalKinds } from '@countersign/contracts';
import type { Signal } from './signal.js';

const address = /[^\s@<>"',;:()/]+@[^\s@<>"',;:()/]+\.[^\s@<>"',;:()/]+/g;

/** The facts of a signal's type, without whom it names and what is sealed: all of it that may travel on. */
export const factsOf = (signal: Signal): Record<string, unknown> => signalKinds[signal.type].facts.parse(signal.data);

/**
 * The signal with its facts cleaned: links lose user, query and fragment, and an address that strayed into a text or a
 * link is blanked. Identifiers stay: a message's id may look like an address and is none.
 */
export function cleaned(signal: Signal): Signal {
  const facts = Object.entries(factsOf(signal)).map(([name, value]) => {
    if (typeof value !== 'string' || name.endsWith('Id')) return [name, value];
    return [name, name === 'url' ? bareLink(value) : value.replace(address, '[address]')];
  });
  return { ...signal, data: { ...signal.data, ...Object.fromEntries(facts) } } as Signal;
}

function bareLink(link: string): string {
  const url = new URL(link);
  url.search = '';
  url.hash = '';
  url.username = '';
  url.password = '';
  return url.href.replace(/%40/gi, '@').replace(address, '[address]');
}
