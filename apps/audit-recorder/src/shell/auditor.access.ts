import {
  type Access,
  type Asked,
  bearerToken,
  type Found,
  type Headers,
  noToken,
  type Refusal,
  unknownToken,
} from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { personOf } from '../core/auditors.js';
import { paceOfStrangers } from '../core/pace.js';
import { couldBePassSecret, passRole } from '../core/pass.js';
import { PassStore } from './passes.repository.js';
import { SETTINGS, type Settings } from './settings.js';

/** The routes that a pass opens. */
const passRoutes = '/v1/passes/';

/** Identifies auditors and other holders of a token of this installation by bearer token, and holders of a pass by its secret. */
@Injectable()
export class Auditing implements Access {
  readonly realm = 'countersign';
  private readonly paceOf = paceOfStrangers();

  constructor(
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'auditors'>,
    @Inject(PassStore) private readonly passes: Pick<PassStore, 'holderOf'>,
  ) {}

  identify(headers: Headers, { route, ip = '' }: Pick<Asked, 'route' | 'ip'>): Found | Promise<Found> {
    const token = bearerToken(headers);
    if (token === undefined) return { refusal: noToken };
    const person = personOf(this.settings.auditors, token);
    if (person) return { principal: { name: person.person, roles: person.roles } };
    // Anyone can send such a token. It is looked up only on a route that a pass opens, and with a rate limit.
    const mayBePass = route?.startsWith(passRoutes) === true && couldBePassSecret(token);
    if (!mayBePass) return { refusal: unknownToken };
    const wait = this.paceOf(ip, performance.now());
    return wait === 0 ? this.byPass(token) : { refusal: tooOften(wait) };
  }

  private async byPass(secret: string): Promise<Found> {
    const name = await this.passes.holderOf(secret);
    // A pass opens the export of its route, and nothing that an auditor's own token opens.
    return name === undefined ? { refusal: unknownToken } : { principal: { name, roles: [passRole] } };
  }
}

const tooOften = (waitMs: number): Refusal => ({
  status: 429,
  title: 'Too many requests',
  detail: 'secrets of passes are sent too often: wait a second, then ask again',
  retryAfter: Math.ceil(waitMs / 1_000),
});
