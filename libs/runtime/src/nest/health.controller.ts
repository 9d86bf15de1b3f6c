import { Controller, Get, Inject, Injectable, type OnModuleInit, Req, Res } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { z } from 'zod';
import { RUNTIME } from '../api/runtime.js';
import type { Engine } from '../engine/engine.js';
import type { Health } from '../engine/health.js';
import { type Access, type Headers, Public, ReadingToken } from './access.js';
import { Documented } from './documented.js';

interface Reply {
  status(code: number): Reply;
}

const Status = z.object({ status: z.enum(['starting', 'ok', 'degraded', 'stopping']) });
/** The part of a service's health that everybody may see. */
type Summary = z.infer<typeof Status>;
const Details = z.union([
  Status.extend({
    service: z.string(),
    ready: z.boolean(),
    well: z.boolean(),
    checks: z.record(z.string(), z.unknown()),
  }).describe('For whoever has a role'),
  Status.describe('For strangers'),
]);

/** Decides who may see the details of a service's health: its own people, and holders of the installation's reading token. */
@Injectable()
export class HealthReaders implements OnModuleInit {
  private accesses: readonly Access[] = [];

  constructor(
    @Inject(RUNTIME) private readonly engine: Engine,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
  ) {}

  onModuleInit(): void {
    const { access } = this.engine.spec;
    const own = access ? [this.modules.get<Access>(access, { strict: false })] : [];
    this.accesses = [...own, new ReadingToken()];
  }

  /**
   * A source has no role, because it only writes. A caller that the service cannot look up at the moment counts as a stranger
   * here, so the page still answers.
   */
  async include(headers: Headers): Promise<boolean> {
    for (const access of this.accesses) {
      const found = await Promise.resolve(access.identify(headers, { method: 'GET' })).catch(() => undefined);
      if (found && 'principal' in found && found.principal.roles.length > 0) return true;
    }
    return false;
  }
}

/** Three addresses: whether the process lives, whether it takes work, and how the service is. */
@Controller('health')
export class HealthController {
  constructor(
    @Inject(RUNTIME) private readonly engine: Engine,
    @Inject(HealthReaders) private readonly readers: HealthReaders,
  ) {}

  /**
   * A supervisor that restarts processes asks this page. The page asks no other system, because a restart of this process would
   * repair none.
   */
  @Get('live')
  @Public()
  @Documented({ summary: 'Whether the process answers', answers: { 200: z.object({ status: z.literal('live') }) } })
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  @Get('ready')
  @Public()
  @Documented({ summary: 'Whether the service takes work', answers: { 200: Status, 503: Status } })
  async ready(@Res({ passthrough: true }) reply: Reply): Promise<Summary> {
    const { status, ready } = await this.engine.health();
    if (!ready) reply.status(503);
    return { status };
  }

  @Get()
  @Public()
  @Documented({ summary: 'Whether the service is well', answers: { 200: Details, 503: Details } })
  async health(
    @Req() { headers }: { headers: Headers },
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<Health | Summary> {
    const health = await this.engine.health();
    if (!health.well) reply.status(503);
    return (await this.readers.include(headers)) ? health : { status: health.status };
  }
}
