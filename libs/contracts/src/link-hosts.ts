/** A host to which links may go, as browsers parse it. */
export interface LinkHost {
  readonly written: string;
  /** In ASCII and lower case, without the star. */
  readonly host: string;
  /** Empty: the port of the scheme. */
  readonly port: string;
  /** It stands for the subdomains of the host, and not for the host itself. */
  readonly subdomains: boolean;
}

/**
 * Reads `example.com`, `*.example.com` or `example.com:8443`. Undefined if the text is anything else: an address with a scheme, a
 * path or a name before an @, a dot at the end, or a host that WHATWG URL refuses.
 */
export function readLinkHost(written: string): LinkHost | undefined {
  const subdomains = written.startsWith('*.');
  const name = subdomains ? written.slice(2) : written;
  if (/[\s/\\@?#%*{}]/.test(name) || /\.(?::|$)/.test(name) || name === '') return undefined;
  const url = URL.parse(`https://${name}/`);
  return url ? { written, host: url.hostname, port: url.port, subdomains } : undefined;
}

/** Whether every host that `inner` allows is allowed by `outer` too. */
export const holdsLinkHost = (outer: LinkHost, inner: LinkHost): boolean =>
  outer.port === inner.port &&
  (outer.subdomains
    ? inner.host.endsWith(`.${outer.host}`) || (inner.subdomains && inner.host === outer.host)
    : !inner.subdomains && inner.host === outer.host);
