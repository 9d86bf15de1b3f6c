import { STATUS_CODES } from 'node:http';
import {
  type Documentation,
  type DocumentedRoute,
  documentation,
  httpAdapter,
  isOpen,
  ProblemDocument,
  requestIdHeader,
  rolesOf,
} from '@countersign/runtime';
import type { DynamicModule, Type } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer, NestFactory } from '@nestjs/core';
import {
  ApiHeader,
  ApiOperation,
  ApiResponse,
  DocumentBuilder,
  type OpenAPIObject,
  SwaggerModule,
} from '@nestjs/swagger';
import { z } from 'zod';

/** How a service identifies its callers, in the terms of OpenAPI. */
export type Schemes = Readonly<Record<string, Parameters<DocumentBuilder['addSecurity']>[1]>>;

/** How schemes form a credential. Without it, each scheme is a credential, and a route accepts any of them. */
export interface Credentials {
  /** The credentials of a route that does not name any. */
  readonly usual: readonly string[];
  /** By credential: its schemes, all of which are needed. A credential that is not listed is the scheme of its name. */
  readonly parts: Readonly<
    Record<string, { readonly toRead: readonly string[]; readonly toChange: readonly string[] }>
  >;
}

export interface Described {
  readonly service: string;
  readonly port: number;
  readonly schemes: Schemes;
  readonly credentials?: Credentials;
}

/** The answers that any route may give instead of its own. */
const always = [400, 500, 503];
const toStrangers = [401, 429];

const jsonSchema = (schema: z.ZodType): Record<string, unknown> => {
  // Answers may get new members later, and a client must not refuse them. So an answer is described as an input, which permits
  // more.
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
};

const problemContent = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
const sentBack = { [requestIdHeader]: { description: 'The id of the request', schema: { type: 'string' } } };

function responsesOf(
  docs: Pick<Documentation, 'answers' | 'problems'>,
  isClosed: boolean,
  hasRoles: boolean,
): Record<string, object> {
  const problems = [...always, ...(isClosed ? toStrangers : []), ...(hasRoles ? [403] : []), ...(docs.problems ?? [])];
  const statuses = new Set([...problems, ...Object.keys(docs.answers).map(Number)]);
  return Object.fromEntries(
    [...statuses].map((status) => {
      const answer = docs.answers[status];
      const content = { ...(answer && contentOf(answer)), ...(problems.includes(status) && problemContent) };
      const body = Object.keys(content).length > 0 && { content };
      return [status, { description: descriptionOf(answer, status), headers: sentBack, ...body }];
    }),
  );
}

const contentOf = (answer: NonNullable<Documentation['answers'][number]>): Record<string, object> =>
  'media' in answer
    ? { [answer.media]: { schema: answer.schema ? jsonSchema(answer.schema) : { type: 'string' } } }
    : { 'application/json': { schema: jsonSchema(answer) } };

const descriptionOf = (answer: Documentation['answers'][number] | undefined, status: number): string => {
  const schema = answer && 'media' in answer ? answer.schema : answer;
  return schema?.description ?? STATUS_CODES[status] ?? String(status);
};

interface Route {
  readonly docs: Documentation;
  readonly open: boolean;
  readonly roles: readonly string[];
}

const scanner = new MetadataScanner();
const prepared = new WeakSet<object>();

/** Every route of the controllers, by operation id; each is given to the library in its own terms, once. */
function routesOf(controllers: readonly Type[]): Map<string, Route> {
  const routes = new Map<string, Route>();
  for (const controller of controllers)
    for (const name of scanner.getAllMethodNames(controller.prototype)) {
      const handler = controller.prototype[name];
      if (Reflect.getMetadata(PATH_METADATA, handler) === undefined) continue;
      const docs: Documentation | undefined = Reflect.getMetadata(documentation.route, handler);
      if (!docs) throw new Error(`${controller.name}.${name} has no @Documented()`);
      const id = operationId(controller.name, name);
      if (routes.has(id)) throw new Error(`two routes are called ${id}`);
      routes.set(id, { docs, open: isOpen(handler, controller), roles: rolesOf(handler, controller) });
      if (prepared.has(handler)) continue;
      prepared.add(handler);
      const on = [controller.prototype, name, Object.getOwnPropertyDescriptor(controller.prototype, name)] as const;
      const { summary, description } = docs;
      ApiOperation({ summary, ...(description !== undefined && { description }) })(
        ...(on as Parameters<MethodDecorator>),
      );
      for (const [header, schema] of Object.entries(docs.headers ?? {}))
        ApiHeader({ name: header, required: !schema.safeParse(undefined).success, schema: jsonSchema(schema) })(
          ...(on as [object, string, PropertyDescriptor]),
        );
      ApiResponse({ status: 'default', description: '' })(...(on as [object, string, PropertyDescriptor]));
    }
  return routes;
}

const operationId = (controller: string, method: string): string =>
  `${controller.charAt(0).toLowerCase()}${controller.slice(1)}_${method}`;

type Operation = Record<string, unknown> & { operationId: string; parameters?: { name: string; in: string }[] };

/** Which credentials a route accepts, and the role that they must have. */
function securityOf(
  { schemes, credentials }: Pick<Described, 'schemes' | 'credentials'>,
  method: string,
  { open, roles, docs }: { open: boolean; roles: readonly string[]; docs: Pick<Documentation, 'credentials'> },
): object[] {
  if (open && !docs.credentials) return [];
  const names = docs.credentials ?? credentials?.usual ?? Object.keys(schemes);
  const purpose = ['get', 'head'].includes(method) ? 'toRead' : 'toChange';
  return names.flatMap((name) => {
    const together = credentials?.parts[name]?.[purpose] ?? [name];
    const asked = (role: readonly string[]) => Object.fromEntries(together.map((scheme) => [scheme, role]));
    return roles.length === 0 ? [asked([])] : roles.map((role) => asked([role]));
  });
}

function finish(operation: Operation, path: string, method: string, route: Route, service: Described): void {
  const { docs, open, roles } = route;
  operation.responses = responsesOf(docs, !open, roles.length > 0);
  operation.security = securityOf(service, method, route);
  if (docs.body)
    operation.requestBody = { required: true, content: { 'application/json': { schema: jsonSchema(docs.body) } } };
  if (roles.length > 0) operation['x-required-roles'] = roles;
  // The rest of an address, which Fastify calls `*`.
  const rest = /\{(\w+)\}$/.exec(path)?.[1];
  for (const parameter of operation.parameters ?? []) if (parameter.name === '*' && rest) parameter.name = rest;
}

/** The OpenAPI 3.1 document of a service, from its controllers. No provider is made, so it needs no broker, database or setting. */
export async function documentOf(module: Type | DynamicModule, service: Described): Promise<OpenAPIObject> {
  const app = await NestFactory.create(module as Type, httpAdapter(), { preview: true, logger: false });
  const modules = [...app.get(ModulesContainer).values()];
  const typesOf = (kind: 'controllers' | 'providers'): Type[] =>
    modules.flatMap((container) =>
      [...container[kind].values()].flatMap(({ metatype }) => (metatype ? [metatype as Type] : [])),
    );
  const routes = routesOf(typesOf('controllers'));
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.1')
    .setTitle(`Countersign: ${service.service}`)
    .setDescription(
      'Written from the controllers by npm run generate; change it there. A request may bring X-Request-Id, a UUID; every answer has it.',
    )
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer(`http://127.0.0.1:${service.port}`, 'As npm start has it');
  for (const [name, scheme] of Object.entries(service.schemes)) config.addSecurity(name, scheme);
  const document = SwaggerModule.createDocument(app, config.build(), {
    operationIdFactory: operationId,
    autoTagControllers: false,
    standardSchemaConverter: (schema) => ({ schema: jsonSchema(schema as z.ZodType) }),
  });
  for (const [path, item] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(item) as [string, Operation][]) {
      const route = routes.get(operation.operationId);
      if (!route) throw new Error(`${path} has no route`);
      finish(operation, path, method, route, service);
    }
  for (const type of typesOf('providers')) {
    const docs: DocumentedRoute | undefined = Reflect.getMetadata(documentation.pastNest, type);
    if (docs) Object.assign(document.paths, pathPastNest(docs, service));
  }
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: jsonSchema(ProblemDocument) },
  };
  await app.close();
  return document;
}

const pathPastNest = (docs: DocumentedRoute, service: Described) => ({
  [docs.path]: {
    [docs.method]: {
      operationId: docs.operationId,
      summary: docs.summary,
      ...(docs.description !== undefined && { description: docs.description }),
      parameters: Object.entries(docs.headers ?? {}).map(([name, schema]) => ({
        name,
        in: 'header',
        required: !schema.safeParse(undefined).success,
        schema: jsonSchema(schema),
      })),
      requestBody: {
        required: true,
        content: Object.fromEntries(
          Object.entries(docs.body).map(([media, schema]) => [media, { schema: jsonSchema(schema) }]),
        ),
      },
      responses: responsesOf(docs, true, false),
      security: securityOf(service, docs.method, { open: false, roles: [], docs }),
    },
  },
});
