import { createHash } from 'node:crypto';
import { type Access, bearerToken, type Found, type Headers, noToken, Roles, unknownToken } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { type Role, SETTINGS, type Settings } from './settings.js';

/** Who of those that have a token may use a route. */
export const Needs = (role: Role) => Roles(role);

/** Knows who asks by bearer token. */
@Injectable()
export class Tokens implements Access {
  readonly realm = 'countersign sandbox';

  constructor(@Inject(SETTINGS) private readonly settings: Pick<Settings, 'holders'>) {}

  identify(headers: Headers): Found {
    const token = bearerToken(headers);
    if (token === undefined) return { refusal: noToken };
    // What is looked up is a digest, so the time it takes tells nothing of a token.
    const principal = this.settings.holders.get(createHash('sha256').update(token).digest('hex'));
    return principal ? { principal } : { refusal: unknownToken };
  }
}
