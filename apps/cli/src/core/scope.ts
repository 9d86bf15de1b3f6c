import { Misused } from '@countersign/client/core';

export interface ScopeOptions {
  readonly all?: boolean;
  readonly agent?: string;
  readonly play?: string;
  readonly channel?: string;
  readonly account?: string;
}

/** The control scope that the options name: exactly one. */
export function scopeOf(options: ScopeOptions): string {
  const named = (['agent', 'play', 'channel', 'account'] as const)
    .filter((family) => options[family] !== undefined)
    .map((family) => `${family}:${options[family]}`);
  const scopes = options.all ? ['all', ...named] : named;
  const [scope] = scopes;
  if (scope === undefined || scopes.length > 1) {
    throw new Misused('say what: exactly one of --all, --agent, --play, --channel, --account');
  }
  return scope;
}

/** A scope in a sentence. `name`: the title of its play or the name of its account, if the console knows one. */
export function scopeName(scope: string, name?: string | null): string {
  if (scope === 'all') return 'everything';
  const colon = scope.indexOf(':');
  const id = scope.slice(colon + 1);
  return name && name !== id ? `the ${scope.slice(0, colon)} “${name}” (${id})` : scope;
}
