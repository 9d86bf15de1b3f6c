import { own, parseJson } from '@countersign/contracts';

/** The arguments of a command line are not valid. */
export class Misused extends Error {}

/**
 * A payload with `name=value` settings applied; `a.b=…` changes a member of an object. A value is read as the type of the present
 * value. If there is none, it is read as JSON, otherwise as text. If a setting does not fit, throws `Misused` and names the
 * setting.
 */
export function applySettings(payload: Record<string, unknown>, settings: readonly string[]): Record<string, unknown> {
  const edited = structuredClone(payload);
  for (const setting of settings) {
    const equals = setting.indexOf('=');
    if (equals <= 0) throw new Misused(`--set ${setting}: name=value is expected, such as amountMinor=40000`);
    const steps = setting.slice(0, equals).split('.');
    const text = setting.slice(equals + 1);
    const last = steps.pop() as string;
    let place: Record<string, unknown> = edited;
    for (const step of steps) {
      const next = own(place, step);
      if (typeof next !== 'object' || next === null)
        throw new Misused(`--set ${setting}: there is no ${step} to reach into`);
      place = next as Record<string, unknown>;
    }
    const before = own(place, last);
    Object.defineProperty(place, last, {
      value: valueFor(setting, text, before),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return edited;
}

function valueFor(setting: string, text: string, before: unknown): unknown {
  if (typeof before === 'string') return text;
  const value = jsonOf(text);
  if (before === undefined) return value === undefined ? text : value;
  if (typeof value !== typeof before) {
    throw new Misused(`--set ${setting}: a ${Array.isArray(before) ? 'list' : typeof before} is expected`);
  }
  return value;
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

export interface Change {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The differences between two JSON values, by path, in the order of the first value. */
export function changesBetween(before: unknown, after: unknown, path = ''): Change[] {
  if (isObject(before) && isObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      changesBetween(own(before, name), own(after, name), path === '' ? name : `${path}.${name}`),
    );
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
