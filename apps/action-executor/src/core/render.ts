import { type OpenedContactPoints, own, type PlaceholderName } from '@countersign/contracts';

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** What placeholders stand for: only here does a proposal's text meet a person. */
const values: Readonly<Record<PlaceholderName, (points: OpenedContactPoints) => string | undefined>> = {
  'contact.firstName': (points) => points.firstName,
  'contact.lastName': (points) => points.lastName,
  'account.name': (points) => points.accountName,
};

export type Rendered =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: 'unknown-placeholder' | 'no-value'; readonly says: string };

/** Fills in a text's placeholders in one pass: a value that looks like a placeholder stays as it is. */
export function render(text: string, points: OpenedContactPoints): Rendered {
  let fault: Extract<Rendered, { ok: false }> | undefined;
  const filled = text.replace(placeholder, (_whole, name: string) => {
    const known = own(values, name);
    // A line break in a name would open a new header in a subject.
    const value = known?.(points)
      ?.replace(/[\s\p{Cc}]+/gu, ' ')
      .trim();
    if (!value) {
      fault ??= known
        ? { ok: false, code: 'no-value', says: `nothing is known to put in for {{${name}}}` }
        : { ok: false, code: 'unknown-placeholder', says: `there is no placeholder {{${name.slice(0, 60)}}}` };
    }
    return value ?? '';
  });
  return fault ?? { ok: true, text: filled };
}

/** An address that can be told from another one, and not written to: `m***@n***.example`. */
export function masked(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  const dot = domain.lastIndexOf('.');
  return `${first(address.slice(0, at))}***@${first(domain)}***${dot > 0 ? domain.slice(dot) : ''}`;
}

/** A whole character: half of a surrogate pair could not be stored. */
const first = (text: string): string => String.fromCodePoint(...[text.codePointAt(0)].filter((c) => c !== undefined));
