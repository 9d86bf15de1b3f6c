import { actionKinds, ControlScope, own } from '@countersign/contracts';
import { z } from 'zod';

/** The scope of the wanted work: everything, or one scope of a stop. */
export const QueueQuery = z.strictObject({ scope: ControlScope.default('all') });

/** What a scope includes. Members that are null limit nothing. */
export interface Within {
  readonly agent: string | null;
  readonly play: string | null;
  readonly kinds: readonly string[] | null;
  readonly account: string | null;
}

/** What a stop of this scope reaches, in the same way as for the validator and the executors. */
export function within(scope: string): Within {
  const colon = scope.indexOf(':');
  const name = scope.slice(colon + 1);
  const all: Within = { agent: null, play: null, kinds: null, account: null };
  const families: Readonly<Record<string, Within>> = {
    agent: { ...all, agent: name },
    play: { ...all, play: name },
    channel: { ...all, kinds: kindsOf(name) },
    account: { ...all, account: name },
  };
  return (colon >= 0 ? own(families, scope.slice(0, colon)) : undefined) ?? all;
}

const kindsOf = (channel: string): string[] =>
  Object.entries(actionKinds)
    .filter(([, spec]) => spec.channel === channel)
    .map(([kind]) => kind);
