import { Refused } from '@countersign/runtime';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { paceOfStrangers } from '../core/pace.js';
import { SETTINGS, type Settings } from './settings.js';

interface Asked {
  readonly ip: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Limits how often outsiders may ask, and says which pages' scripts may read the answers, also refusals. */
@Injectable()
export class ForAnybody implements CanActivate {
  private readonly paceOf = paceOfStrangers();

  constructor(@Inject(SETTINGS) private readonly settings: Pick<Settings, 'readers'>) {}

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const { ip, headers } = http.getRequest<Asked>();
    const reply = http.getResponse<{ header(name: string, value: string): unknown }>();
    reply.header('vary', 'Origin');
    if (typeof headers.origin === 'string' && this.settings.readers.includes(headers.origin))
      reply.header('access-control-allow-origin', headers.origin);
    const wait = this.paceOf(ip, performance.now());
    if (wait === 0) return true;
    throw new Refused({
      status: 429,
      title: 'Too many requests',
      detail: 'proofs are asked for too often: wait a second, then ask again',
      retryAfter: Math.ceil(wait / 1_000),
    });
  }
}
