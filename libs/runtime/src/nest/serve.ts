import { startTelemetry } from '@countersign/telemetry';
import {
  Catch,
  type DynamicModule,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnModuleInit,
  type RpcExceptionFilter,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, HttpAdapterHost, ModuleRef, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger as Pino } from 'pino';
import { type Observable, throwError } from 'rxjs';
import { type JobKind, type RecordConsumer, type Recovery, RUNTIME, type ServiceSpec } from '../api/runtime.js';
import { readSettings } from '../api/settings.js';
import { Engine } from '../engine/engine.js';
import { describe } from '../failures.js';
import { checkSettings, WrongSettings } from '../settings/environment.js';
import { runtimeEnvironment } from '../settings/runtime-environment.js';
import { type Access, AccessGuard } from './access.js';
import { BatchTransport } from './batch-transport.js';
import { HealthController, HealthReaders } from './health.controller.js';
import { httpAdapter, httpBounds, letIn } from './http-adapter.js';
import { NestLog, serviceLog } from './log.js';
import { OpenApiController } from './openapi.controller.js';
import { ProblemFilter } from './problem.filter.js';
import { SchemaPipe } from './schema.pipe.js';

/** Nest would replace a handler's error by 'Internal server error' before the engine sees what failed. */
@Catch()
class RethrowFilter implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/** Gives the adapter the service's access. */
@Injectable()
class Doorman implements OnModuleInit {
  constructor(
    @Inject(RUNTIME) private readonly engine: Engine,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    const { access } = this.engine.spec;
    if (access) letIn(this.host.httpAdapter, this.modules.get<Access>(access, { strict: false }));
  }
}

let makeEngine = (spec: ServiceSpec): Engine => new Engine(spec, new Logger(spec.name));

/** For tests: replaces the function that makes the engine of the next application. */
export const useEngine = (make: typeof makeEngine): void => {
  makeEngine = make;
};

/** Gives the module of a service the token `RUNTIME` and the health pages. */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: Nest's form of a dynamic module
export class RuntimeModule {
  static of(spec: ServiceSpec): DynamicModule {
    return {
      module: RuntimeModule,
      global: true,
      controllers: [HealthController, OpenApiController],
      providers: [
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useClass: SchemaPipe },
        Doorman,
        HealthReaders,
        { provide: RUNTIME, useFactory: () => makeEngine(spec) },
      ],
      exports: [RUNTIME],
    };
  }
}

/**
 * Runs a service until it must stop (SIGTERM or SIGINT): migrates, checks its topics, reads state to its end, serves HTTP, then
 * begins work. A failure before that ends the process with status 1.
 */
export async function serve(module: Type, spec: ServiceSpec): Promise<void> {
  const log = new Logger(spec.name);
  try {
    const lines = serviceLog(spec.name);
    Logger.overrideLogger(new NestLog(lines));
    await start(module, spec, log, lines);
  } catch (error) {
    log.error(`does not start: ${error instanceof WrongSettings ? error.message : describe(error).detail}`);
    process.exit(1);
  }
}

/** Connects the handlers of an application to a transport. Deferred, because Nest binds filters when it registers handlers. */
export function attach(app: NestFastifyApplication, transport: BatchTransport): void {
  app.connectMicroservice({ strategy: transport }, { deferInitialization: true }).useGlobalFilters(new RethrowFilter());
}

async function start(module: Type, spec: ServiceSpec, log: Logger, lines: Pino): Promise<void> {
  checkSettings(spec.settings ?? runtimeEnvironment, process.env, (detail) => log.warn(detail));
  const stopTelemetry = await startTelemetry(spec.name);
  const app = await NestFactory.create<NestFastifyApplication>(
    module,
    httpAdapter(httpBounds, lines, spec.trustedProxies?.(process.env)),
    {
      logger: new NestLog(lines),
      abortOnError: false,
    },
  );
  await spec.http?.(app.getHttpAdapter().getInstance(), process.env);
  const engine = app.get<Engine>(RUNTIME);
  const kinds = (spec.jobs ?? []).map((type) => app.get<JobKind<never>>(type));
  const recordConsumer = spec.recordConsumer && app.get<RecordConsumer>(spec.recordConsumer);
  const recovery = spec.recovery && app.get<Recovery>(spec.recovery);
  const transport = new BatchTransport(
    (handlers) => engine.begin(handlers, kinds, { recordConsumer, recovery }),
    () => engine.drain(),
  );
  attach(app, transport);

  let ending = false;
  const end = async (reason: string): Promise<void> => {
    if (ending) return;
    ending = true;
    log.log(`draining (${reason})`);
    const { drainMs } = engine.limits;
    setTimeout(() => {
      log.error(`not drained after ${drainMs} ms; what is in work will be repeated by the next start`);
      process.exit(1);
    }, drainMs);
    // Nest closes HTTP before it drains. A client that sends or reads slowly must not use up the time that work needs to end.
    setTimeout(() => app.getHttpServer().closeAllConnections(), drainMs / 4);
    await app.close();
    await engine.drain();
    await stopTelemetry();
    log.log('drained');
    process.exit(0);
  };
  process.on('SIGTERM', () => void end('SIGTERM'));
  process.on('SIGINT', () => void end('SIGINT'));
  process.on('unhandledRejection', (error) => {
    log.error(`unhandled: ${describe(error).detail}`);
    process.exit(1);
  });

  await engine.prepare();
  const { host, port } = readSettings(process.env, spec.port);
  try {
    await app.listen(port, host);
  } catch (error) {
    if ((error as { code?: string }).code === 'EADDRINUSE') throw new Error(`port ${port} is taken; set PORT`);
    throw error;
  }
  await app.startAllMicroservices();
  log.log(`ready on ${host}:${port}`);
}
