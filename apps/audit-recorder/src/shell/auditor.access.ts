import { type Access, bearerToken, type Found, type Headers, noToken, unknownToken } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { personOf } from '../core/auditors.js';
import { couldBePassSecret, passRole } from '../core/pass.js';
import { PassStore } from './passes.repository.js';
import { SETTINGS, type Settings } from './settings.js';

/** Knows auditors, and others who have a token of this installation, by bearer token; and whoever has the secret of a pass. */
@Injectable()
export class Auditing implements Access {
  readonly realm = 'countersign';

  constructor(
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'auditors'>,
    @Inject(PassStore) private readonly passes: Pick<PassStore, 'holderOf'>,
  ) {}

  identify(headers: Headers): Found | Promise<Found> {
    const token = bearerToken(headers);
    if (token === undefined) return { refusal: noToken };
    const person = personOf(this.settings.auditors, token);
    if (person) return { principal: { name: person.person, roles: person.roles } };
    return couldBePassSecret(token) ? this.byPass(token) : { refusal: unknownToken };
  }

  private async byPass(secret: string): Promise<Found> {
    const name = await this.passes.holderOf(secret);
    // A pass opens the export of its route, and nothing that an auditor's own token opens.
    return name === undefined ? { refusal: unknownToken } : { principal: { name, roles: [passRole] } };
  }
}
