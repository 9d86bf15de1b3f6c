/** Whom a signal means: nobody, one contact, or two where its reference and its address are known as different contacts. */
export type Persons = readonly [] | readonly [string] | readonly [string, string];

export interface Identified {
  readonly persons: readonly Persons[];
  /** Identities that were not known, with the contact that they now are. */
  readonly links: ReadonlyMap<string, string>;
}

/**
 * Finds the contact of each claim, in order. A claim is up to two identities, the upstream's reference first. An identity
 * seen for the first time joins the contact of the other, or begins a contact under the claim's `fresh` id. Contacts are never merged.
 */
export function identify(
  claims: readonly (readonly string[])[],
  known: ReadonlyMap<string, string>,
  fresh: readonly string[],
): Identified {
  const links = new Map<string, string>();
  const persons = claims.map((identities, i): Persons => {
    if (identities.length === 0) return [];
    const found = identities.map((identity) => known.get(identity) ?? links.get(identity));
    const [first, second] = [...new Set(found.filter((id) => id !== undefined))];
    if (first !== undefined && second !== undefined) return [first, second];
    const contact = first ?? fresh[i];
    if (contact === undefined) throw new RangeError('a fresh contact id is needed for every claim');
    identities.forEach((identity, n) => {
      if (found[n] === undefined) links.set(identity, contact);
    });
    return [contact];
  });
  return { persons, links };
}
