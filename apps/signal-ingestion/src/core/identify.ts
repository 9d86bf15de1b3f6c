/** The contacts that a signal means: none, one, or two if its reference and its address belong to different known contacts. */
export type Persons = readonly [] | readonly [string] | readonly [string, string];

export interface Identified {
  readonly persons: readonly Persons[];
  /** New identities, with their contact. */
  readonly links: ReadonlyMap<string, string>;
  /** By the index of the claim that joins: the contact of its address, which is joined into the contact of its reference. */
  readonly joins: ReadonlyMap<number, string>;
}

/**
 * Finds the contact of each claim, in order. A claim has up to two identities, the upstream's reference first. A new identity
 * joins the contact of the other identity, or begins a contact with the claim's `fresh` id. Two contacts become one only if
 * `mayJoin` allows it for the claim and the address's contact, and no earlier claim gave that contact a reference.
 */
export function identify(
  claims: readonly (readonly string[])[],
  known: ReadonlyMap<string, string>,
  fresh: readonly string[],
  mayJoin: (claim: number, contactId: string) => boolean = () => false,
): Identified {
  const links = new Map<string, string>();
  const joins = new Map<number, string>();
  const into = new Map<string, string>();
  const persons = claims.map((identities, i): Persons => {
    if (identities.length === 0) return [];
    const found = identities.map((identity) => {
      const id = known.get(identity) ?? links.get(identity);
      return id === undefined ? undefined : (into.get(id) ?? id);
    });
    const [first, second] = [...new Set(found.filter((id) => id !== undefined))];
    if (first !== undefined && second !== undefined) {
      const referred = [...links].some(([identity, id]) => id === second && isReference(identity));
      if (referred || !mayJoin(i, second)) return [first, second];
      joins.set(i, second);
      into.set(second, first);
      return [first];
    }
    const contact = first ?? fresh[i];
    if (contact === undefined) throw new RangeError('a fresh contact id is needed for every claim');
    identities.forEach((identity, n) => {
      if (found[n] === undefined) links.set(identity, contact);
    });
    return [contact];
  });
  return { persons, links, joins };
}

/** Whether an identity is an upstream's reference, not an address. */
const isReference = (identity: string): boolean => identity.startsWith('ref:');
