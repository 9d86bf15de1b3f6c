import { createHash, timingSafeEqual } from 'node:crypto';
import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Inject,
  Injectable,
  SetMetadata,
  UnauthorizedException,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { RouteConfig } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { readEnvironment } from '../settings/environment.js';
import { processVariables } from '../settings/runtime-environment.js';

/** The caller: a person, a source, or a system that holds a token. */
export interface Principal {
  readonly name: string;
  readonly roles: readonly string[];
}

/** Why a caller is refused (RFC 9457). `detail` says what to do. */
export interface Refusal {
  readonly status: 401 | 403 | 404 | 429;
  readonly title: string;
  readonly detail: string;
  /** Of a 429: after how many seconds the caller may ask again. */
  readonly retryAfter?: number;
}

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The parts of a request that decide whether its caller is let in. */
export interface Asked {
  readonly method: string;
  /** The pattern of the route's address. Absent where no route has the address, and where the page is open to all (`/health`). */
  readonly route?: string | undefined;
  /** The address that the request comes from. Absent where the page is open to all. */
  readonly ip?: string;
}

export type Found = { readonly principal: Principal } | { readonly refusal: Refusal };

/** How a service identifies its callers. It is a provider of the module, named in the spec's `access`. */
export interface Access {
  /** The realm that a 401 names. */
  readonly realm: string;
  /** The service limits the requests of each principal itself, so the runtime does not. */
  readonly countsRequests?: true;
  /** The principals are systems, not persons, so their names may be in the log. */
  readonly systems?: true;
  identify(headers: Headers, asked: Asked): Found | Promise<Found>;
}

/** A request that was let in. */
export interface Authenticated<P extends Principal = Principal> {
  readonly principal: P;
}

const isPublic = 'countersign:public';
const needsRole = 'countersign:roles';

/**
 * Opens a page to everybody. Every other route answers 401 to a request without a principal. `config`: further settings of the
 * route for Fastify's plugins.
 */
export const Public = (config: object = {}): MethodDecorator =>
  applyDecorators(SetMetadata(isPublic, true), RouteConfig({ ...config, [isPublic]: true }));

/** Limits a route to principals that have one of these roles. */
export const Roles = (...roles: readonly string[]): MethodDecorator & ClassDecorator => SetMetadata(needsRole, roles);

/** Whether a handler, or its whole controller, is public. */
export const isOpen = (handler: object, controller: object): boolean =>
  Boolean(Reflect.getMetadata(isPublic, handler) ?? Reflect.getMetadata(isPublic, controller));
export const rolesOf = (handler: object, controller: object): readonly string[] =>
  Reflect.getMetadata(needsRole, handler) ?? Reflect.getMetadata(needsRole, controller) ?? [];

/** Whether the configuration of a route says that it is public. */
export const openToAll = (config: unknown): boolean =>
  (config as Readonly<Record<string, unknown>> | undefined)?.[isPublic] === true;

/** The token of an `Authorization: Bearer …` header (RFC 6750). */
export const bearerToken = ({ authorization }: Headers): string | undefined =>
  /^Bearer +([\x21-\x7e]+)$/i.exec(typeof authorization === 'string' ? authorization : '')?.[1];

/** Whether this is the token with the known SHA-256. The comparison takes the same time for every token. */
export const isToken = (token: string, sha256: string): boolean =>
  timingSafeEqual(createHash('sha256').update(token).digest(), Buffer.from(sha256, 'hex'));

export const noToken: Refusal = {
  status: 401,
  title: 'No token',
  detail: 'send the header Authorization: Bearer <token>',
};
export const unknownToken: Refusal = {
  status: 401,
  title: 'Unknown token',
  detail: 'this token is not, or no longer, in use here',
};

/**
 * Lets in callers that hold one token. A variable names the file with its SHA-256. Without that file it lets nobody in and says
 * why.
 */
export function oneToken({
  realm,
  sha256,
  variable,
  what,
  roles = [],
}: {
  realm: string;
  sha256: string | undefined;
  variable: string;
  what: string;
  roles?: readonly string[];
}): Access & { identify(headers: Headers): Found } {
  return {
    realm,
    identify(headers) {
      if (sha256 === undefined) {
        const detail = `${what} are off here; ${variable} switches them on`;
        return { refusal: { status: 404, title: 'Not found', detail } };
      }
      const token = bearerToken(headers);
      if (token === undefined) return { refusal: noToken };
      return isToken(token, sha256) ? { principal: { name: 'reader', roles } } : { refusal: unknownToken };
    },
  };
}

const reading = z.object({ READ_TOKEN_FILE: processVariables.READ_TOKEN_FILE });

/** Access to the pages of a service that has no people of its own, with the installation's reading token: `READ_TOKEN_FILE`. */
@Injectable()
export class ReadingToken implements Access {
  readonly realm = 'countersign';
  readonly systems = true;
  readonly identify: (headers: Headers) => Found;

  constructor() {
    const sha256 = readEnvironment(reading, process.env).READ_TOKEN_FILE?.sha256;
    const what = 'the pages of this service';
    const variable = 'READ_TOKEN_FILE';
    this.identify = oneToken({ realm: this.realm, sha256, variable, what, roles: ['reader'] }).identify;
  }
}

/** The access of a service that names none: it lets nobody in. */
export const nobody: Access = {
  realm: 'countersign',
  identify: () => ({
    refusal: { status: 401, title: 'Not public', detail: 'nothing but its public pages is given out here' },
  }),
};

/** The principal does not have the role that the route requires. */
export class RoleMissing extends ForbiddenException {
  override readonly name = 'Role missing';
}

/**
 * The one guard of every service. A route is public, or its caller is known and has the required role, if there is one. The
 * caller is identified before the body of the request is read (`http-adapter.ts`). A request that was not identified there is
 * refused.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    // The broker has identified the principal of what comes over Kafka.
    if (context.getType() !== 'http') return true;
    const asked = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(isPublic, asked)) return true;
    const { principal } = context.switchToHttp().getRequest<Partial<Authenticated>>();
    if (!principal) throw new UnauthorizedException(noToken.detail);
    const roles = this.reflector.getAllAndOverride<readonly string[] | undefined>(needsRole, asked);
    if (roles && !roles.some((role) => principal.roles.includes(role)))
      throw new RoleMissing(`${principal.name} is no ${roles.join(' and no ')}`);
    return true;
  }
}
