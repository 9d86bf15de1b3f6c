import { createHash, timingSafeEqual } from 'node:crypto';
import { type Access, bearerToken, type Found, type Headers } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { problem } from './problem.js';
import { SETTINGS, type Settings } from './settings.js';

/** Identifies sources by their API keys. */
@Injectable()
export class SourceAccess implements Access {
  readonly realm = 'signals';
  readonly systems = true;
  /** `Shares` counts requests and their content. */
  readonly countsRequests = true;

  constructor(@Inject(SETTINGS) private readonly settings: Pick<Settings, 'apiKeys'>) {}

  /** Compares every known key, in constant time. */
  identify(headers: Headers): Found {
    const apiKey = headers['x-api-key'];
    const key = bearerToken(headers) ?? (typeof apiKey === 'string' ? apiKey : '');
    const given = createHash('sha256').update(key).digest();
    let found: string | undefined;
    for (const [source, hashes] of this.settings.apiKeys) {
      for (const hash of hashes) if (timingSafeEqual(given, hash)) found = source;
    }
    if (found !== undefined) return { principal: { name: found, roles: [] } };
    return { refusal: { ...problem(401, noKey), status: 401 } };
  }
}

const noKey = {
  code: 'no-key',
  detail: 'give the API key of your source as Authorization: Bearer or X-API-Key',
  field: 'authorization',
};
