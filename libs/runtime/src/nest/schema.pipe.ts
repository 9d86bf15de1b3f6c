import { type ArgumentMetadata, Injectable, StandardSchemaValidationPipe } from '@nestjs/common';
import { Refused } from './problem.filter.js';

type StandardSchema = NonNullable<ArgumentMetadata['schema']>;
type OutputOf<S extends StandardSchema> = NonNullable<S['~standard']['types']>['output'];

/** An issue as Zod reports it. The name of an unexpected member is not in the path. */
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: string;
  readonly keys?: readonly string[];
}

/**
 * Reads a body, a query or a parameter by the schema of its decorator, `@Body({ schema })`. The handler gets the schema's result.
 * Input that does not fit is answered 400, and the problem names the first wrong member.
 */
@Injectable()
export class SchemaPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    const { schema, data, type } = metadata;
    if (!schema) return value;
    const read = await schema['~standard'].validate(value);
    if (!read.issues) return read.value as T;
    throw refusedBy(read.issues[0] as Issue | undefined, data ?? type);
  }
}

/** The same for input without a decorator's schema, such as a header. `name` is its name in the problem. */
export function readBy<S extends StandardSchema>(schema: S, value: unknown, name: string): OutputOf<S> {
  const read = schema['~standard'].validate(value);
  if (read instanceof Promise) throw new Error(`the schema of ${name} cannot be read at once`);
  if (read.issues) throw refusedBy(read.issues[0] as Issue | undefined, name);
  return read.value as OutputOf<S>;
}

function refusedBy(issue: Issue | undefined, whole: string): Refused {
  const steps = (issue?.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step));
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys?.[0] : undefined;
  const field = [...steps, ...(unknown === undefined ? [] : [unknown])].join('.') || whole;
  const detail = unknown === undefined ? (issue?.message ?? 'not valid') : 'is not a member of this request';
  return new Refused({
    status: 400,
    title: 'Request not understood',
    detail: field === '' ? detail : `${field}: ${detail}`,
    field,
  });
}
