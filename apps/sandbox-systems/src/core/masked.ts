/** An address that can be recognised and not written to: `m***@n***.example`. */
export function masked(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  const dot = domain.lastIndexOf('.');
  return `${first(address.slice(0, at))}***@${first(domain)}***${dot > 0 ? domain.slice(dot) : ''}`;
}

/** A whole character: half of a surrogate pair cannot be stored. */
const first = (text: string): string => String.fromCodePoint(...[text.codePointAt(0)].filter((c) => c !== undefined));
