/** The scope of a stop, with the title of its play or the name of its account if the console knows one. */
export interface ScopeNamed {
  readonly scope: string;
  readonly name?: string | null;
}

/** What a scope covers, in words: "everything", "the agent paid-media-agent", "the account “Acme”". */
export function scopeWords(named: ScopeNamed): string {
  const { family, id } = partsOf(named.scope);
  if (family === undefined) return 'everything';
  return idBehind(named) === undefined ? `the ${family} ${id}` : `the ${family} “${named.name}”`;
}

/** The id in a scope, where the words of the scope have a name in its place. */
export function idBehind({ scope, name }: ScopeNamed): string | undefined {
  const { id } = partsOf(scope);
  return name && name !== id ? id : undefined;
}

function partsOf(scope: string): { readonly family?: string; readonly id: string } {
  const colon = scope.indexOf(':');
  return colon < 0 ? { id: scope } : { family: scope.slice(0, colon), id: scope.slice(colon + 1) };
}
