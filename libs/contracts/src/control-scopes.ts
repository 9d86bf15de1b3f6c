import type { Channel } from './primitives.js';

/** What a person can stop. */
export interface Stoppable {
  /** The id of the play that it belongs to. */
  readonly play: string;
  /** The agents that propose it, or would. */
  readonly agents?: readonly string[];
  /** The channel of its kind. Absent: of no known kind, or not known yet. */
  readonly channel?: Channel | undefined;
  /** The CRM account and the ad account that it is for, as far as there are any. */
  readonly accounts: readonly (string | undefined)[];
}

/**
 * The scopes of the controls that can stop it, each once, the broadest first: everything, its play, its accounts, its channel, its agents.
 * A stop of any other scope does not concern it.
 */
export function scopesCovering({ play, agents = [], channel, accounts }: Stoppable): readonly string[] {
  return [
    ...new Set([
      'all',
      `play:${play}`,
      ...accounts.flatMap((id) => (id === undefined ? [] : [`account:${id}`])),
      ...(channel === undefined ? [] : [`channel:${channel}`]),
      ...agents.map((agent) => `agent:${agent}`),
    ]),
  ];
}
