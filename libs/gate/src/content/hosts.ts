import { clip, distance, type LinkHost, readLinkHost } from '@countersign/contracts';
import { foldedText } from './folded.js';
import { type Link, readableHost } from './links.js';
import { someOf } from './marks.js';

/** The hosts to which links may go. */
export interface Hosts {
  /** Why a link may not be followed, and what to write instead; undefined if it may. */
  readonly against: (link: Pick<Link, 'url' | 'open'>) => string | undefined;
}

export function hostsOf(written: readonly string[]): Hosts {
  const entries = written.flatMap((entry) => readLinkHost(entry) ?? []);
  const exact = new Set(entries.filter((e) => !e.subdomains).map((e) => `${e.host}:${e.port}`));
  const below = entries.filter((e) => e.subdomains);
  const allows = (host: string, port: string): boolean =>
    exact.has(`${host}:${port}`) || below.some((e) => e.port === port && host.endsWith(`.${e.host}`));
  const instead =
    written.length === 0
      ? 'no link is allowed: write it without'
      : `link to ${someOf(written)}, or have the host added to linkHosts`;

  let known: readonly Known[] | undefined;
  const compared = (): readonly Known[] => {
    known ??= entries.slice(0, 200).map(knownHost);
    return known;
  };

  const faultOf: Hosts['against'] = ({ url, open }) => {
    if (open) return `the host of the link has a placeholder, so nobody knows where it goes: ${instead}`;
    if (!url) return `the link cannot be read as an address: ${instead}`;
    const { protocol, hostname: host, port, username, password } = url;
    if (protocol === 'mailto:') return mailFault(url, allows, instead);
    if (protocol !== 'http:' && protocol !== 'https:')
      return `a link with ${clip(protocol, 30)} is not allowed: ${instead}`;
    const shown = shownHost(host);
    if (username !== '' || password !== '')
      return `what stands before the @ of the link is a name, and the link goes to ${shown}: write the address without it`;
    if (allows(host, port)) return undefined;
    if (host.endsWith('.') && allows(host.replace(/\.+$/, ''), port))
      return `the host ${shown} ends in a dot: write ${host.replace(/\.+$/, '')}`;
    if (port !== '' && allows(host, '')) return `port ${port} of ${shown} is not allowed: leave it out, or ${instead}`;
    const address = /^(?:\d+\.){3}\d+$|^\[/.test(host) ? 'the IP address ' : '';
    return `the link goes to ${address}${shown}, which is not allowed${likeness(host, compared())}: ${instead}`;
  };

  // A text may name the same host many times.
  const faults = new Map<string, string | undefined>();
  return {
    against: (link) => {
      const key = keyOf(link);
      if (!faults.has(key)) {
        if (faults.size >= mostFaults) faults.clear();
        faults.set(key, faultOf(link));
      }
      return faults.get(key);
    },
  };
}

const receivers: ReadonlySet<string> = new Set(['to', 'cc', 'bcc']);

/** More hosts than texts in use name. */
const mostFaults = 200;

/** What a fault depends on. */
function keyOf({ url, open }: Pick<Link, 'url' | 'open'>): string {
  if (open || !url) return open ? 'open' : 'none';
  if (url.protocol === 'mailto:') return url.href;
  return `${url.protocol}//${url.username === '' && url.password === '' ? '' : '@'}${url.host}`;
}

/** The place to which a message would go is a host as well, that of each receiver. */
function mailFault(url: URL, allows: (host: string, port: string) => boolean, instead: string): string | undefined {
  const copies = [...url.searchParams].flatMap(([name, to]) => (receivers.has(name.toLowerCase()) ? [to] : []));
  // Some programs take a semicolon between addresses.
  const addresses = [decodeURIComponentSafe(url.pathname), ...copies]
    .flatMap((list) => list.split(/[,;]/))
    .map((address) => address.trim())
    .filter((address) => address !== '');
  // With two slashes it names a host as well, and programs differ in what they write to.
  const readable = url.host === '' && addresses.length > 0;
  const hosts = readable ? addresses.map(hostOfAddress) : [''];
  const other = hosts.find((host) => !allows(host, ''));
  return other === undefined
    ? undefined
    : `the link writes a message to ${other === '' ? 'an address that cannot be read' : shownHost(other)}, which is not allowed: ${instead}`;
}

/** The host of one address; empty if it is not one address: where a program may end it, it could go elsewhere. */
function hostOfAddress(address: string): string {
  const [, domain] = /^[^@]*@([^@]+?)>?$/.exec(address) ?? [];
  const host = domain === undefined ? '' : (URL.parse(`https://${domain}/`)?.hostname ?? '');
  return /[^\w.[\]:-]/.test(host) ? '' : host;
}

/** A name in another script is shown in both forms, because people cannot see the difference in one of them. */
function shownHost(host: string): string {
  const readable = readableHost(host);
  return readable === host ? clip(host, 120) : `${clip(host, 120)} (shown as ${clip(readable, 80)})`;
}

/** An entry as people read it, and as they could take it for another. */
interface Known extends LinkHost {
  readonly name: string;
  readonly alike: string;
}

const knownHost = (entry: LinkHost): Known => {
  const name = readableHost(entry.host);
  return { ...entry, name, alike: skeletonOf(name) };
};

/** What a host looks like, or only contains, among those that are allowed. */
function likeness(host: string, entries: readonly Known[]): string {
  const plain = readableHost(host).toLowerCase();
  const skeleton = skeletonOf(plain);
  for (const { name, alike, port, subdomains } of entries) {
    if (plain === name) return subdomains ? `, although its subdomains are` : `, although it is with port ${port}`;
    if (plain.endsWith(`.${name}`)) return `, although ${name} is`;
    if (skeleton === alike || skeleton.endsWith(`.${alike}`)) return ` and looks like ${name}`;
    if (plain.includes(name)) return ` and only contains ${name}`;
    const isNear = Math.abs(plain.length - name.length) <= 1;
    if (isNear && plain.length <= 100 && name.length > 4 && distance(plain, name) === 1)
      return ` and is spelt almost like ${name}`;
  }
  return '';
}

/** Letters, digits and pairs that readers take for one another, as one of them. */
const skeletonOf = (host: string): string =>
  foldedText(host)
    .replace(/\p{M}/gu, '')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .replace(/[1i|]/g, 'l')
    .replaceAll('0', 'o');

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
