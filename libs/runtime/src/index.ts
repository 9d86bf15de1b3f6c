export { type Answering, type Calling, startCall, startRequest } from '@countersign/telemetry';
export { type Ago, ago } from './ago.js';
export * from './door.js';
export { describe, isTransient } from './failures.js';
export { type Limits, readLimits } from './limits.js';
export { cut, cutBytes, type Packed, packed } from './packed.js';
export { prepared } from './prepared.js';
export { RuntimeModule, serve } from './serve.js';
export { deployment, readSettings, type Settings, SourcesFile } from './settings.js';
