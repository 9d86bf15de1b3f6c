import { type ActionKindName, actionKindNames, actionKinds, type TaskAssigned } from '@countersign/contracts';
import { z } from 'zod';
import type { Facts } from '../facts.js';
import { allowedValues } from '../identifiers.js';
import { type Aliases, aliased } from './aliases.js';

type Schema = { readonly [member: string]: unknown };

/** The keywords that every server's strict mode understands. Lengths, formats and ranges are checked when the answer is clamped. */
const understood = ['type', 'enum', 'const', 'anyOf', 'items', 'properties', 'description'];

const text = { type: 'string' };
const object = (properties: Schema): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });

/** The kinds of a task for which its facts have identifiers to choose. A kind without its identifiers cannot be proposed. */
export function offeredKinds(
  task: TaskAssigned,
  facts: Facts,
  kinds: readonly ActionKindName[],
): readonly ActionKindName[] {
  return actionKindNames
    .filter((kind) => task.kinds.includes(kind) && kinds.includes(kind))
    .filter((kind) => {
      const { required = [] } = z.toJSONSchema(actionKinds[kind].payload, { io: 'input' });
      return required.every((member) => allowedValues(member, task, facts)?.length !== 0);
    });
}

/**
 * JSON Schema of a model's answer, in the subset of strict structured output: every member is required, optional ones may be
 * null, identifiers are closed lists. Generated from the catalogue's payload schemas.
 */
export function answerSchema(
  task: TaskAssigned,
  facts: Facts,
  kinds: readonly ActionKindName[],
  aliases: Aliases,
): Schema {
  const proposal = (kind: ActionKindName) =>
    object({
      kind: { type: 'string', enum: [kind] },
      payload: strict(z.toJSONSchema(actionKinds[kind].payload, { io: 'input' }) as Schema, (member) =>
        allowedValues(member, task, facts)?.map((value) => (aliased.has(member) ? aliases.aliasOf(value) : value)),
      ),
      rationale: { ...text, description: 'why, with the figures it rests on' },
      evidence: { type: 'array', items: { type: 'integer' }, description: 'numbers of the evidence it rests on' },
      confidence: { type: 'number', description: '0 to 1' },
      alternatives: { type: 'array', items: object({ detail: text, rejectedBecause: text }) },
    });
  return object({
    proposals: { type: 'array', items: { anyOf: kinds.map(proposal) } },
    declined: { ...nullable(text), description: 'why nothing is proposed, else null' },
  });
}

function strict(schema: Schema, allowed: (member: string) => readonly string[] | undefined): Schema {
  const supported = Object.fromEntries(Object.entries(schema).filter(([name]) => understood.includes(name)));
  if (Array.isArray(schema.anyOf)) return { ...supported, anyOf: schema.anyOf.map((s: Schema) => strict(s, allowed)) };
  if (typeof schema.items === 'object') return { ...supported, items: strict(schema.items as Schema, allowed) };
  if (typeof schema.properties !== 'object') return supported;
  const required = Array.isArray(schema.required) ? schema.required : [];
  return object(
    Object.fromEntries(
      Object.entries(schema.properties as Record<string, Schema>).map(([member, inner]) => {
        const values = allowed(member);
        const narrowed = values === undefined ? strict(inner, allowed) : choice(values);
        return [member, required.includes(member) ? narrowed : nullable(narrowed)];
      }),
    ),
  );
}

/** There is no value to choose, so only null is allowed. Only an optional member may be null. */
const choice = (values: readonly string[]): Schema =>
  values.length > 0 ? { type: 'string', enum: values } : { type: 'null' };
