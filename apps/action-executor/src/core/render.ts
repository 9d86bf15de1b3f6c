import { type OpenedContactPoints, own, type PlaceholderName } from '@countersign/contracts';

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** The values of the placeholders. Only here do a proposal's text and a person's data come together. */
const values: Readonly<Record<PlaceholderName, (points: OpenedContactPoints) => string | undefined>> = {
  'contact.firstName': (points) => points.firstName,
  'contact.lastName': (points) => points.lastName,
  'account.name': (points) => points.accountName,
};

export type Rendered =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: 'unknown-placeholder' | 'no-value'; readonly detail: string };

/** Replaces the placeholders of a text in one pass. A value that looks like a placeholder stays as it is. */
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
        ? { ok: false, code: 'no-value', detail: `nothing is known to put in for {{${name}}}` }
        : { ok: false, code: 'unknown-placeholder', detail: `there is no placeholder {{${name.slice(0, 60)}}}` };
    }
    return value ?? '';
  });
  return fault ?? { ok: true, text: filled };
}
