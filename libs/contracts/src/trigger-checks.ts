import type { z } from 'zod';
import type { Path } from './config-file.js';
import { didYouMean } from './nearest.js';
import type { Trigger } from './policy.js';
import { ForeignId } from './primitives.js';
import { type SignalType, signalKinds } from './signals.js';

/** The place at which a trigger can never match, and why. */
export interface TriggerFault {
  readonly path: Path;
  readonly detail: string;
}

type Shape = Readonly<Record<string, z.core.$ZodType>>;

/** The members of an account's profile that a trigger may use: what a signal says about the account, and its id. */
const accountShape: Shape = { accountId: ForeignId, ...signalKinds.AccountUpserted.facts.shape };

/** The conditions of a trigger that can never match: a fact that the signal does not have, or a value that the fact never has. */
export function triggerFaults(trigger: Trigger): TriggerFault[] {
  if (trigger.pattern !== 'distinct-contacts') {
    const { floorPercent } = trigger;
    return floorPercent > 10_000
      ? [{ path: ['floorPercent'], detail: 'at most 10000 is expected: a hundred times the spend' }]
      : [];
  }
  const { signal } = trigger;
  const found = [
    ...asked('where', trigger.where, signalKinds[signal as SignalType].facts.shape, `a fact of ${signal}`),
    ...asked('account', trigger.account, accountShape, "part of an account's profile"),
  ];
  if (!signalKinds[signal as SignalType].about.contact)
    found.push({ path: ['signal'], detail: `${signal} is about no contact, and this pattern counts contacts` });
  return found;
}

function asked(part: string, wanted: Readonly<Record<string, unknown>>, shape: Shape, what: string): TriggerFault[] {
  return Object.entries(wanted).flatMap(([name, value]): TriggerFault[] => {
    const path = [part, name];
    const schema = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (!schema) {
      const names = Object.keys(shape);
      return [{ path, detail: `is not ${what}; there is ${names.join(', ')}${didYouMean(name, names)}` }];
    }
    if (!Array.isArray(value)) return faultOf(schema, value, path);
    if (value.length === 0)
      return [{ path, detail: 'an empty list matches nothing: leave it out, or list what may match' }];
    return value.flatMap((element, i) => [
      ...faultOf(schema, element, [...path, i]),
      ...(value.indexOf(element) < i
        ? [{ path: [...path, i], detail: `${JSON.stringify(element)} is listed already` }]
        : []),
    ]);
  });
}

/** A signal's facts have passed this schema. So a value that does not pass it, or that it changes, never occurs. */
function faultOf(schema: z.core.$ZodType, value: unknown, path: Path): TriggerFault[] {
  const read = (schema as z.ZodType).safeParse(value);
  if (read.success && read.data === value) return [];
  const words = [...(schema._zod.values ?? [])].filter((choice) => choice !== undefined).map(String);
  const expected =
    words.length > 0 ? `one of ${words.join(', ')} is expected${didYouMean(String(value), words)}` : undefined;
  const reason = read.success
    ? `it is kept as ${JSON.stringify(read.data)}`
    : (expected ?? read.error.issues[0]?.message ?? 'invalid');
  return [{ path, detail: `${JSON.stringify(value)} is never there: ${reason}` }];
}
