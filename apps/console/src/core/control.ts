import { Channel, ControlScope, type DataOf, own, Remark, withoutAddresses } from '@countersign/contracts';
import { z } from 'zod';
import { type Problem, problem } from './problem.js';
import { changedSince, seen } from './seen.js';

export const ControlRequest = z.strictObject({
  scope: ControlScope,
  state: z.enum(['stopped', 'running']),
  /** An e-mail address in it is left out: the reason stays on the record, and a stop must not fail for its wording. */
  reason: Remark(500)
    .pipe(z.string().min(1, 'say why, for whoever reads the record'))
    .transform((reason) => withoutAddresses(reason, '[address]').slice(0, 500)),
  ...seen,
});
export type ControlRequest = z.infer<typeof ControlRequest>;

/** The names in the policy in force. A stop of a misspelt name would stop nothing, while everybody believes that it does. */
export interface Known {
  readonly agents: readonly string[];
  readonly plays: readonly string[];
}

/** What is wrong with a control's scope. Accounts are not checked. */
export function scopeProblem(scope: string, known: Known): Problem | undefined {
  const [family = '', name = ''] = split(scope);
  const names: Record<string, readonly string[]> = {
    agent: known.agents,
    play: known.plays,
    channel: Channel.options,
  };
  const list = own(names, family);
  if (!list || list.includes(name)) return undefined;
  const existing = list.length > 0 ? `there is ${list.join(', ')}` : 'there is none';
  return problem(400, `No such ${family}`, `no ${family} is called ${name}; ${existing}`, 'scope');
}

/**
 * Whether the request changes anything. A repeated stop must not: each version ends the permits that were made under the earlier
 * one.
 */
export const changes = (current: DataOf<'ControlChanged'> | null, request: ControlRequest): boolean =>
  (current?.state ?? 'running') !== request.state;

type Control = DataOf<'ControlChanged'>;

/** The part of a control that stays the same until somebody changes it again. */
export const unconfirmed = ({ scope, state, by, reason, version, changedAt }: Control) => ({
  ...{ scope, state, by, reason, version, changedAt },
});

/**
 * Why a stop is not lifted: another stop holds than the one that the person saw. A stop is never refused for this: what its author
 * saw is only recorded.
 */
export const otherStop = (current: Control | null, request: ControlRequest): Problem | undefined =>
  request.state === 'running' && current ? changedSince('this stop', unconfirmed(current), request) : undefined;

function split(scope: string): [string, string] {
  const colon = scope.indexOf(':');
  return colon < 0 ? [scope, ''] : [scope.slice(0, colon), scope.slice(colon + 1)];
}
