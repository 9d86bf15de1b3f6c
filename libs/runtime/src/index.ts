export { type Answering, attributes, type Calling, observe, startCall, startRequest } from '@countersign/telemetry';
export { type Ago, ago } from './api/ago.js';
export { type Limits, readLimits } from './api/limits.js';
export * from './api/runtime.js';
export { deployment, readSettings, type Settings } from './api/settings.js';
export { type Database, migrateTables, openDatabase } from './database/database.js';
export { grantToAuditor } from './database/migrations.js';
export { prepared } from './database/prepared.js';
export { takeTurn } from './database/turns.js';
export type { Health } from './engine/health.js';
export { describe, isTransient } from './failures.js';
export * from './nest/access.js';
export { Consumes } from './nest/consumes.decorator.js';
export * from './nest/documented.js';
export { HealthController, HealthReaders } from './nest/health.controller.js';
export { httpAdapter, httpBounds, letIn } from './nest/http-adapter.js';
export { NestLog, serviceLog } from './nest/log.js';
export { OpenApiController } from './nest/openapi.controller.js';
export { type Problem, ProblemDocument, ProblemFilter, Refused } from './nest/problem.filter.js';
export { requestIdHeader } from './nest/request-log.js';
export { readBy, SchemaPipe } from './nest/schema.pipe.js';
export { RuntimeModule, serve } from './nest/serve.js';
export { cut, cutBytes, type Packed, packed } from './outbox/packed.js';
export {
  checkSettings,
  type Env,
  type Environment,
  readEnvironment,
  settingsTable,
  WrongSettings,
} from './settings/environment.js';
export { limitVariables, processVariables, runtimeEnvironment } from './settings/runtime-environment.js';
export * from './settings/variables.js';
