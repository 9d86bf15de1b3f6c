import type { PublicKeyJwk, SigningKey } from '@countersign/gate';
import { Public } from '@countersign/runtime';
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { SIGNING_KEY } from './settings.js';

/** What outsiders may look at. Executors take their keys from their operator, not from here. */
@Controller()
export class Pages {
  constructor(@Inject(SIGNING_KEY) private readonly key: SigningKey) {}

  @Get('.well-known/jwks.json')
  @Public()
  @Header('content-type', 'application/jwk-set+json')
  keys(): { keys: readonly PublicKeyJwk[] } {
    return { keys: [this.key.publicJwk] };
  }
}
