import {
  AccessGuard,
  HealthController,
  HealthReaders,
  OpenApiController,
  ProblemFilter,
  RUNTIME,
  SchemaPipe,
} from '@countersign/runtime';
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { Ads } from './shell/ads.system.js';
import { Answers } from './shell/answers.repository.js';
import { Calls } from './shell/calls.controller.js';
import { Crm } from './shell/crm.system.js';
import { DATABASE, openPool, PoolEnd } from './shell/database.js';
import { HealthOfSystems } from './shell/health.service.js';
import { Mailer } from './shell/mailer.system.js';
import { SETTINGS, type Settings } from './shell/settings.js';
import { Pages } from './shell/systems.controller.js';
import { SYSTEMS, type System } from './shell/systems.js';
import { Tokens } from './shell/tokens.access.js';

@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: Nest's form of a dynamic module
export class SandboxSystemsModule {
  static register(settings: Settings): DynamicModule {
    return {
      module: SandboxSystemsModule,
      controllers: [HealthController, OpenApiController, Pages, Calls],
      providers: [
        { provide: SETTINGS, useValue: settings },
        { provide: DATABASE, inject: [SETTINGS], useFactory: openPool },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useClass: SchemaPipe },
        { provide: RUNTIME, useClass: HealthOfSystems },
        HealthReaders,
        PoolEnd,
        Tokens,
        Answers,
        Ads,
        Mailer,
        Crm,
        {
          provide: SYSTEMS,
          inject: [Ads, Mailer, Crm],
          useFactory: (...systems: System<unknown>[]) => new Map(systems.map((system) => [system.name, system])),
        },
      ],
    };
  }
}
