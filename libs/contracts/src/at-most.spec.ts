import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { listOf, recordOf } from './at-most.js';
import { DeploymentFile } from './deployment.js';
import { eventSchemas } from './event-data.js';
import { schemaOf } from './events.js';
import { Charter, Play, PolicyContent, Route, Rules, Sequence, SourceConfig } from './policy.js';
import { checkEvent } from './read.js';
import { signalTypes } from './signals.js';
import { topology } from './topology.js';

/** More than any bound is. */
const beyond = 20_001;

/** An element that counts how often something of it was looked at, and never fits. */
function watched(): { readonly element: object; readonly looks: () => number } {
  let looks = 0;
  const count = <R>(answer: R): R => {
    looks += 1;
    return answer;
  };
  const element = new Proxy(
    {},
    {
      get: () => count(undefined),
      has: () => count(false),
      ownKeys: () => count([]),
      getPrototypeOf: () => count(null),
      getOwnPropertyDescriptor: () => count(undefined),
    },
  );
  return { element, looks: () => looks };
}

interface Place {
  readonly path: string;
  readonly kind: 'list' | 'record' | 'text';
  readonly schema: z.core.$ZodType;
  /** A value that has something at this place, and nothing elsewhere. */
  readonly holding: (inner: unknown) => unknown;
  /** Whether the whole is read without it where it does not fit. */
  readonly tolerated?: boolean;
}

/** Every list, record and text of a schema. */
function placesIn(schema: z.core.$ZodType, path = 'data', holding: Place['holding'] = (inner) => inner): Place[] {
  const { def } = schema._zod as unknown as { def: z.core.$ZodTypes['_zod']['def'] };
  const into = (inner: z.core.$ZodType, step: string, wrap: (value: unknown) => unknown) =>
    placesIn(inner, `${path}${step}`, (value) => holding(wrap(value)));
  switch (def.type) {
    case 'object':
      return Object.entries(def.shape).flatMap(([name, inner]) =>
        into(inner, `.${name}`, (value) => ({ ...beside(schema), [name]: value })),
      );
    case 'array':
      return [{ path, kind: 'list', schema, holding }, ...into(def.element, '[]', (value) => [value])];
    case 'record': {
      const [key = 'a'] = [...(def.keyType._zod.values ?? [])].map(String);
      return [{ path, kind: 'record', schema, holding }, ...into(def.valueType, '{}', (value) => ({ [key]: value }))];
    }
    case 'string':
      return [{ path, kind: 'text', schema, holding }];
    case 'union':
      return def.options.flatMap((option) => into(option, '', (value) => value));
    case 'optional':
    case 'nullable':
      return into(def.innerType, '', (value) => value);
    case 'catch':
      return into(def.innerType, '', (value) => value).map((place) => ({ ...place, tolerated: true }));
    case 'pipe':
      // What a text is turned into before it is read may be shorter than what was given.
      return def.out._zod.def.type === 'string'
        ? [{ path, kind: 'text', schema, holding }]
        : into(def.out, '', (value) => value);
    case 'unknown':
    case 'number':
    case 'boolean':
    case 'literal':
    case 'enum':
    case 'null':
      return [];
    default:
      throw new Error(`${path}: the walk does not know ${def.type}; teach it`);
  }
}

/** The members by which a union tells its options apart. */
function beside(schema: z.core.$ZodType): Record<string, unknown> {
  const { shape } = (schema._zod.def as z.core.$ZodObjectDef) ?? {};
  return Object.fromEntries(
    Object.entries(shape).flatMap(([name, inner]) =>
      inner._zod.def.type === 'literal' ? [[name, [...(inner._zod.values ?? [])][0]]] : [],
    ),
  );
}

/** The lists and records of a schema of which something is looked at though they have more than any bound. */
function unbounded(schema: z.core.$ZodType): string[] {
  return placesIn(schema).flatMap(({ path, kind, holding, tolerated }) => {
    if (kind === 'text') return [];
    const { element, looks } = watched();
    const many =
      kind === 'list'
        ? Array.from({ length: beyond }, () => element)
        : Object.fromEntries(Array.from({ length: beyond }, (_, i) => [`k${i}`, element]));
    const read = z.core.safeParse(schema, holding(many));
    const complaints = read.success ? 0 : countIssues(read.error.issues);
    // What is left out where it does not fit is not complained of: then it is enough that nothing of it was looked at.
    return looks() === 0 && (complaints === 1 || tolerated) ? [] : [path];
  });
}

/** How often it is said that there are too many, also by the options of a union. */
const countIssues = (issues: readonly z.core.$ZodIssue[]): number =>
  issues.reduce(
    (sum, issue) =>
      sum +
      (issue.code === 'too_big' && /^Too many/.test(issue.message) ? 1 : 0) +
      (issue.code === 'invalid_union' ? issue.errors.reduce((inner, issues) => inner + countIssues(issues), 0) : 0),
    0,
  );

const eventTypes = [...Object.keys(eventSchemas), ...signalTypes];
const contractOf = (type: string): z.ZodType => {
  const schema = schemaOf(type);
  if (!schema) throw new Error(`no contract for ${type}`);
  return schema;
};

test.each(eventTypes)('%s: of a list or a record that is too long no element is looked at', (type) => {
  expect(unbounded(contractOf(type))).toEqual([]);
});

test.each(Object.entries({ Charter, Play, Sequence, Rules, Route, SourceConfig, DeploymentFile, PolicyContent }))(
  '%s of the configuration: of a list or a record that is too long no element is looked at',
  (_name, schema) => expect(unbounded(schema)).toEqual([]),
);

test.each([
  ['a list without a bound', z.object({ a: z.array(z.object({ b: z.string() })) }), ['data.a']],
  ['a list that zod bounds, after a look at all of it', z.object({ a: z.array(z.string()).max(5) }), ['data.a']],
  ['a list in a bounded one', z.object({ a: listOf(z.object({ b: z.array(z.string()) }), 5) }), ['data.a[].b']],
  ['a record without a bound', z.object({ a: z.record(z.string(), z.string()).optional() }), ['data.a']],
  ['a list of a union', z.object({ a: z.union([z.string(), z.array(z.string())]) }), ['data.a']],
])('the walk finds %s', (_name, schema, places) => expect(unbounded(schema)).toEqual(places));

const long = 100_000;
const endless = [
  'a'.repeat(long),
  '7'.repeat(long),
  `2026-11-21T10:00:00.${'0'.repeat(long)}Z`,
  `https://a.example/${'a'.repeat(long)}`,
];
const textsWithoutEnd = (schema: z.core.$ZodType): string[] =>
  placesIn(schema)
    .filter(
      ({ kind, schema }) =>
        kind === 'text' && endless.some((text) => String(z.core.safeParse(schema, text).data).length >= long),
    )
    .map(({ path }) => path);

test.each(eventTypes)('%s: every text has an end', (type) => {
  expect(textsWithoutEnd(contractOf(type))).toEqual([]);
});

test('the walk finds a text without an end', () => {
  expect(textsWithoutEnd(z.object({ a: listOf(z.object({ b: z.string() }), 5), c: z.string().max(5) }))).toEqual([
    'data.a[].b',
  ]);
});

test('as many as the bound are read, one more is refused by its number, and too few as before', () => {
  const schema = z.object({ list: listOf(z.string(), 2, 1), record: recordOf(z.string(), z.number(), 2) });
  const given = { list: ['a', 'b'], record: { a: 1, b: 2 } };
  expect(schema.parse(given)).toEqual(given);
  const detail = (more: object) => schema.safeParse({ ...given, ...more }).error?.issues.map(({ message }) => message);
  expect(detail({ list: ['a', 'b', 'c'] })).toEqual(['Too many: at most 2 elements are expected']);
  expect(detail({ record: { a: 1, b: 2, c: 3 } })).toEqual(['Too many: at most 2 members are expected']);
  expect(detail({ list: [] })).toEqual([expect.stringContaining('>=1')]);
  expect(detail({ list: undefined })).toEqual([expect.stringContaining('expected array')]);
  expect(detail({ list: {} })).toEqual([expect.stringContaining('expected array')]);
  expect(detail({ record: [] })).toEqual([expect.stringContaining('expected record')]);
});

test('a JSON Schema says the bounds, and what an element is', () => {
  const schema = z.object({
    list: listOf(z.object({ a: z.string() }), 2, 1),
    record: recordOf(z.string(), z.int(), 3),
  });
  expect(z.toJSONSchema(schema, { io: 'input' })).toMatchObject({
    required: ['list', 'record'],
    properties: {
      list: { type: 'array', minItems: 1, maxItems: 2, items: { type: 'object', required: ['a'] } },
      record: { type: 'object', maxProperties: 3, additionalProperties: { type: 'integer' } },
    },
  });
});

test('an event is left at the first element that does not fit: the others are not looked at', () => {
  const topic = topology().find(({ types }) => types.includes('ActionProposed'));
  if (!topic) throw new Error('no topic of proposals');
  const sample = JSON.parse(
    readFileSync(new URL('../samples/ActionProposed.ads.set_bid.json', import.meta.url), 'utf8'),
  );
  const event = {
    id: 'e-1',
    source: topic.source,
    type: 'ActionProposed',
    time: '2026-11-21T10:00:00.000Z',
    data: sample.value,
  };
  expect(checkEvent(topic, event)).toMatchObject({ ok: true });
  const elements = Array.from({ length: 100 }, watched);
  const evidence = elements.map(({ element }) => element);
  expect(checkEvent(topic, { ...event, data: { ...sample.value, evidence } })).toMatchObject({
    ok: false,
    fault: { code: 'contract', field: expect.stringMatching(/^data\.evidence\.0/) },
  });
  expect(elements.map(({ looks }) => looks() > 0)).toEqual(elements.map((_, i) => i === 0));
});
