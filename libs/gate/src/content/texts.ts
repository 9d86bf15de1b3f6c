import type { PlacedText } from '@countersign/contracts';
import { type Folded, fold } from './folded.js';

/** Each text is folded at most once, whichever rules ask. */
const folded = new WeakMap<PlacedText, Folded>();

export function foldedOf(text: PlacedText): Folded {
  let known = folded.get(text);
  if (!known) {
    known = fold(text.text);
    folded.set(text, known);
  }
  return known;
}

/** What was made of a setting, once for as long as the policy that has it. */
export function perSetting<S extends object, T>(make: (setting: S) => T): (setting: S) => T {
  const made = new WeakMap<S, { readonly value: T }>();
  return (setting) => {
    let known = made.get(setting);
    if (!known) {
      known = { value: make(setting) };
      made.set(setting, known);
    }
    return known.value;
  };
}
