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

/** Who asks: a person, a source, whoever holds a token. */
export interface Principal {
  readonly name: string;
  readonly roles: readonly string[];
}

/** Why somebody is not let in, as RFC 9457 has it: `detail` says what to do. */
export interface Refusal {
  readonly status: 401 | 403 | 404;
  readonly title: string;
  readonly detail: string;
}

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** What a request asks for, as far as it matters to whether somebody is let in. */
export interface Asked {
  readonly method: string;
}

export type Found = { readonly principal: Principal } | { readonly refusal: Refusal };

/** How a service knows who asks: a provider of the module, named in the spec's `access`. */
export interface Access {
  /** The realm that a 401 names. */
  readonly realm: string;
  /** The service counts the requests of each principal itself, so the runtime does not. */
  readonly countsRequests?: true;
  /** Whoever it knows is a system and no person, so its name may be in the log. */
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
 * Opens a page to everybody. Without it, and without a principal, nothing is answered but 401. `config`: what else the route says to
 * Fastify's plugins.
 */
export const Public = (config: object = {}): MethodDecorator =>
  applyDecorators(SetMetadata(isPublic, true), RouteConfig({ ...config, [isPublic]: true }));

/** Who of those that are let in may use a route: whoever has one of these roles. */
export const Roles = (...roles: readonly string[]): MethodDecorator & ClassDecorator => SetMetadata(needsRole, roles);

/** Whether a handler, or its whole controller, is public; who may use it where it asks for a role. */
export const isOpen = (handler: object, controller: object): boolean =>
  Boolean(Reflect.getMetadata(isPublic, handler) ?? Reflect.getMetadata(isPublic, controller));
export const rolesOf = (handler: object, controller: object): readonly string[] =>
  Reflect.getMetadata(needsRole, handler) ?? Reflect.getMetadata(needsRole, controller) ?? [];

/** Whether a route's configuration says that it is public. */
export const openToAll = (config: unknown): boolean =>
  (config as Readonly<Record<string, unknown>> | undefined)?.[isPublic] === true;

/** The token of an `Authorization: Bearer …` header (RFC 6750). */
export const bearerToken = ({ authorization }: Headers): string | undefined =>
  /^Bearer +([\x21-\x7e]+)$/i.exec(typeof authorization === 'string' ? authorization : '')?.[1];

/** Whether this is the token whose SHA-256 is known, in a time that tells nothing of either. */
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

/** Lets in whoever holds the one token, whose SHA-256 a variable's file has; without that file nobody, and it is said why. */
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

/** The pages of a service that has no people of its own, for the installation's reading token: `READ_TOKEN_FILE`. */
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

/** Who is let in where a service names no access: nobody. */
export const nobody: Access = {
  realm: 'countersign',
  identify: () => ({
    refusal: { status: 401, title: 'Not public', detail: 'nothing but its public pages is given out here' },
  }),
};

/** A principal without the role that a route asks for. */
export class RoleMissing extends ForbiddenException {
  override readonly name = 'Role missing';
}

/**
 * The one guard of every service: a route is public, or whoever asks is known, and has the role where one is asked for. Who asks is
 * found out before the body of the request is read (`http-adapter.ts`); what nobody found out here is refused.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    // What comes over Kafka has its principal from the broker.
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
