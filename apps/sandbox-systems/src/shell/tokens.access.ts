import { createHash } from 'node:crypto';
import { type Access, bearerToken, type Found, type Headers, noToken, Roles, unknownToken } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { type Role, SETTINGS, type Settings } from './settings.js';

/** The role that a holder of a token needs for a route. */
export const Needs = (role: Role) => Roles(role);

/** Identifies callers by bearer token. */
@Injectable()
export class Tokens implements Access {
  readonly realm = 'countersign sandbox';

  constructor(@Inject(SETTINGS) private readonly settings: Pick<Settings, 'holders'>) {}

  identify(headers: Headers): Found {
    const token = bearerToken(headers);
    if (token === undefined) return { refusal: noToken };
    // The lookup uses a digest, so its duration reveals nothing about a token.
    const principal = this.settings.holders.get(createHash('sha256').update(token).digest('hex'));
    return principal ? { principal } : { refusal: unknownToken };
  }
}
