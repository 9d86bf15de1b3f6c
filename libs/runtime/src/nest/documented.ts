import { isDeepStrictEqual } from 'node:util';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor, SetMetadata } from '@nestjs/common';
import { map, type Observable } from 'rxjs';
import type { z } from 'zod';

/** An answer that is not JSON. */
export interface MediaAnswer {
  readonly media: string;
  /** The schema of the content, if it is JSON under another media type. */
  readonly schema?: z.ZodType;
}

/** What the OpenAPI document of a service says about a route, in addition to its decorators and schemas. */
export interface Documentation {
  /** The purpose, as one short sentence without a full stop. */
  readonly summary: string;
  readonly description?: string;
  /** By status: the schema of a JSON answer, the media type of another one, or null for an answer without a body. */
  readonly answers: Readonly<Record<number, z.ZodType | MediaAnswer | null>>;
  /** Statuses of problems, in addition to those that every route may have. */
  readonly problems?: readonly number[];
  /** The body, if no decorator names its schema. */
  readonly body?: z.ZodType;
  /** The credentials, by their names in the generator of the documents. Absent: the service's usual ones. */
  readonly credentials?: readonly string[];
  /** The headers that it reads. */
  readonly headers?: Readonly<Record<string, z.ZodType>>;
}

/** A route outside Nest, which no controller declares. */
export interface DocumentedRoute extends Omit<Documentation, 'body'> {
  readonly method: 'post';
  readonly path: string;
  readonly operationId: string;
  /** The content of the body, by media type. */
  readonly body: Readonly<Record<string, z.ZodType>>;
}

/** The metadata keys under which the generator of the documents finds the documentation. */
export const documentation = { route: 'countersign:documented', pastNest: 'countersign:documented-past-nest' } as const;

/** Documents a route. `npm run generate` refuses a route without it. */
export const Documented = (docs: Documentation): MethodDecorator => SetMetadata(documentation.route, docs);

/** Documents a route that a provider gives to Fastify itself. */
export const DocumentedPastNest = (docs: DocumentedRoute): ClassDecorator => SetMetadata(documentation.pastNest, docs);

/** Why an answer does not fit the documentation of its route; undefined if it fits. */
export function undocumented(answers: Documentation['answers'], status: number, answer: unknown): string | undefined {
  const documented = answers[status];
  if (documented === undefined) return `the status ${status} is not documented`;
  if (documented === null) return answer === undefined ? undefined : 'it has a body and none is documented';
  const schema = 'media' in documented ? documented.schema : documented;
  if (!schema) return undefined;
  const sent: unknown = JSON.parse(JSON.stringify(answer));
  const read = schema.safeParse(sent);
  if (!read.success) {
    const [issue] = read.error.issues;
    return `${issue?.path.join('.')}: ${issue?.message}`;
  }
  return isDeepStrictEqual(read.data, sent) ? undefined : 'it has a member that is not documented';
}

/** For tests: fails a request whose answer does not fit the documentation of its route. */
@Injectable()
export class AnswersAsDocumented implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const handler = context.getHandler();
    const docs: Documentation | undefined = Reflect.getMetadata(documentation.route, handler);
    if (context.getType() !== 'http' || !docs) return next.handle();
    const reply = context.switchToHttp().getResponse<{ readonly statusCode: number }>();
    return next.handle().pipe(
      map((answer) => {
        const wrong = undocumented(docs.answers, reply.statusCode, answer);
        if (wrong !== undefined)
          throw new Error(`${context.getClass().name}.${handler.name} answers otherwise: ${wrong}`);
        return answer;
      }),
    );
  }
}
