import { type Access, bearerToken, type Found, type Headers, noToken, unknownToken } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { personOf } from '../core/auditors.js';
import { SETTINGS, type Settings } from './settings.js';

/** Knows auditors, and others who have a token of this installation, by bearer token. */
@Injectable()
export class Auditing implements Access {
  readonly realm = 'countersign';

  constructor(@Inject(SETTINGS) private readonly settings: Pick<Settings, 'auditors'>) {}

  identify(headers: Headers): Found {
    const token = bearerToken(headers);
    if (token === undefined) return { refusal: noToken };
    const person = personOf(this.settings.auditors, token);
    return person ? { principal: { name: person.person, roles: person.roles } } : { refusal: unknownToken };
  }
}
