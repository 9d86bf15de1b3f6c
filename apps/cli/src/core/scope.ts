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

/** A scope in a sentence. */
export const scopeName = (scope: string): string => (scope === 'all' ? 'everything' : scope);

/** The one id that begins with the given text; full ids are taken as they are. */
export function idOf(given: string, known: readonly string[], noun = 'open review'): string {
  if (given.length >= 36) return given;
  const found = known.filter((id) => id.startsWith(given));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (found.length > 1) throw new Misused(`${found.length} ${noun}s begin with ${given}; give more of it`);
  throw new Misused(`no ${noun} begins with ${given}`);
}
