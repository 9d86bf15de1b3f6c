import type { PublicKeyJwk, SigningKey } from '@countersign/gate';
import { Documented, Public } from '@countersign/runtime';
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { z } from 'zod';
import { SIGNING_KEY } from './settings.js';

const text = z.string();
const JwkSet = z
  .object({ keys: z.array(z.object({ kty: text, crv: text, kid: text, x: text, use: text, alg: text })) })
  .describe('A JWK set (RFC 7517)');

/** The public keys for outsiders. Executors take their keys from their operator, not from here. */
@Controller()
export class Pages {
  constructor(@Inject(SIGNING_KEY) private readonly key: SigningKey) {}

  @Get('.well-known/jwks.json')
  @Public()
  @Documented({
    summary: 'The public keys that permits are verified with',
    answers: { 200: { media: 'application/jwk-set+json', schema: JwkSet } },
  })
  @Header('content-type', 'application/jwk-set+json')
  keys(): { keys: readonly PublicKeyJwk[] } {
    return { keys: [this.key.publicJwk] };
  }
}
