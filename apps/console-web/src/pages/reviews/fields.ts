import { capital } from '../../parts/capital.js';
import { amountOf, money } from '../../parts/money.js';

/** The parts of a JSON Schema that are used here, as the console describes a kind. */
export interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

/** An input of the form. `path` is where its value stands in the payload. */
export interface Field {
  readonly path: readonly string[];
  readonly label: string;
  readonly input: 'money' | 'number' | 'line' | 'text' | 'choice' | 'time' | 'yes-no' | 'list' | 'json';
  readonly required: boolean;
  /** Names of things in other systems, which a reviewer seldom changes. */
  readonly seldom: boolean;
  readonly options: readonly string[];
  readonly maxLength?: number;
  /** What a number has to be, as the schema says; an amount is in minor units. */
  readonly range: Range;
}

type Range = Pick<Schema, 'minimum' | 'maximum' | 'exclusiveMinimum'>;
type Payload = Readonly<Record<string, unknown>>;

/** "dailyBudgetMinor" in the words of a person: "Daily budget". */
export function labelOf(name: string): string {
  const words = name
    .replace(/(Minor|Id)$/, '')
    .replace(/([a-z])([A-Z])/g, (_all, before: string, after: string) => `${before} ${after.toLowerCase()}`);
  return capital(words);
}

/** The inputs for a payload of this kind, including those of an object inside it. */
export function fieldsOf(schema: Schema, path: readonly string[] = []): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const here = [...path, name];
    if (member.type === 'object' && member.properties) return fieldsOf(member, here);
    return [
      {
        path: here,
        label: here.map(labelOf).join(': '),
        input: inputOf(name, member, schema),
        required: schema.required?.includes(name) ?? false,
        seldom: path.length > 0 || /^(currency|template)$|Id$/.test(name),
        options: member.enum?.map(String) ?? [],
        ...(member.maxLength !== undefined && { maxLength: member.maxLength }),
        range: member,
      },
    ];
  });
}

function inputOf(name: string, member: Schema, parent: Schema): Field['input'] {
  if (member.enum) return 'choice';
  switch (member.type) {
    case 'integer':
    case 'number':
      return name.endsWith('Minor') && parent.properties && 'currency' in parent.properties ? 'money' : 'number';
    case 'boolean':
      return 'yes-no';
    case 'array':
      return member.items?.type === 'string' ? 'list' : 'json';
    case 'string':
      if (member.format === 'date-time') return 'time';
      return (member.maxLength ?? 0) > 300 && member.format === undefined ? 'text' : 'line';
    default:
      return 'json';
  }
}

export function valueAt(payload: Payload, path: readonly string[]): unknown {
  let value: unknown = payload;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Payload)[name];
  }
  return value;
}

function withValue(payload: Payload, [name, ...rest]: readonly string[], value: unknown): Payload {
  if (name === undefined) return payload;
  const inner = valueAt(payload, [name]);
  const next = rest.length === 0 ? value : withValue((inner ?? {}) as Payload, rest, value);
  const others = Object.entries(payload).filter(([key]) => key !== name);
  // Members stay at their place, so that a reader finds them again.
  if (!Object.hasOwn(payload, name)) return next === undefined ? payload : { ...payload, [name]: next };
  return next === undefined
    ? Object.fromEntries(others)
    : Object.fromEntries(Object.entries(payload).map(([key, old]) => [key, key === name ? next : old]));
}

/** The content of an input as text. A time is in the reader's time zone. */
export function typedOf(field: Field, payload: Payload): string {
  const value = valueAt(payload, field.path);
  if (value === undefined || value === null) return '';
  switch (field.input) {
    case 'money':
      return money(Number(value), currencyBeside(field, payload)).replace(/^\S+ /, '').replaceAll(',', '');
    case 'time':
      return localTime(String(value));
    case 'list':
      return Array.isArray(value) ? value.join('\n') : '';
    case 'json':
      return JSON.stringify(value);
    default:
      return String(value);
  }
}

/** The currency beside an amount. If there is none yet: XXX, the code of ISO 4217 for no currency. */
export const currencyBeside = (field: Field, payload: Payload): string => {
  const currency = String(valueAt(payload, [...field.path.slice(0, -1), 'currency']));
  return /^[A-Z]{3}$/.test(currency) ? currency : 'XXX';
};

/** The value of `<input type="datetime-local">`. It has no time zone, so the reader's zone applies. */
export function localTime(at: string): string {
  const time = new Date(at);
  const pad = (n: number): string => String(n).padStart(2, '0');
  return `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}T${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
}

/** Currencies first: an amount is read by the decimals of the currency that it will have. */
const currenciesFirst = (fields: readonly Field[]): readonly Field[] => {
  const isCurrency = ({ path }: Field): boolean => path.at(-1) === 'currency';
  return [...fields.filter(isCurrency), ...fields.filter((field) => !isCurrency(field))];
};

/**
 * The payload with the typed values. An input that was not touched keeps its exact value, but an amount is read again if its currency
 * was changed. Faults are listed by the label of their input.
 */
export function edited(
  payload: Payload,
  fields: readonly Field[],
  typed: Readonly<Record<string, string>>,
): { readonly payload: Payload; readonly faults: Readonly<Record<string, string>> } {
  const faults: [string, string][] = [];
  let result = payload;
  for (const field of currenciesFirst(fields)) {
    const key = field.path.join('.');
    const shown = typedOf(field, payload);
    const text = Object.hasOwn(typed, key) ? (typed[key] ?? '') : shown;
    const sameCurrency = field.input !== 'money' || currencyBeside(field, payload) === currencyBeside(field, result);
    if (text === shown && (sameCurrency || text === '')) continue;
    if (text.trim() === '') {
      if (field.required) faults.push([key, 'This is needed.']);
      else result = withValue(result, field.path, undefined);
      continue;
    }
    const answer = read(field, text, result);
    if ('fault' in answer) faults.push([key, answer.fault]);
    else result = withValue(result, field.path, answer.value);
  }
  return { payload: result, faults: Object.fromEntries(faults) };
}

type Read = { readonly value: unknown } | { readonly fault: string };

function within({ minimum, maximum, exclusiveMinimum }: Range, value: number, text: (n: number) => string): Read {
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
    return { fault: `Write more than ${text(exclusiveMinimum)}.` };
  if (minimum !== undefined && value < minimum) return { fault: `Write ${text(minimum)} or more.` };
  if (maximum !== undefined && value > maximum) return { fault: `Write ${text(maximum)} or less.` };
  return { value };
}

function read(field: Field, text: string, payload: Payload): Read {
  switch (field.input) {
    case 'money': {
      const currency = currencyBeside(field, payload);
      const amount = amountOf(text, currency);
      if ('fault' in amount) return amount;
      return within(field.range, amount.minor, (minor) => money(minor, currency));
    }
    case 'number': {
      const number = Number(text);
      return Number.isSafeInteger(number) ? within(field.range, number, String) : { fault: 'Write a whole number.' };
    }
    case 'time': {
      const at = new Date(text);
      return Number.isNaN(at.getTime()) ? { fault: 'Choose a day and a time.' } : { value: at.toISOString() };
    }
    case 'yes-no':
      return { value: text === 'true' };
    case 'list':
      return { value: text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()])) };
    case 'json':
      try {
        return { value: JSON.parse(text) };
      } catch {
        return { fault: 'This is no valid JSON.' };
      }
    default:
      return { value: text };
  }
}
