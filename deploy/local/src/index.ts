export { type SettingsModule, settingsParts } from './configuration/parts.js';
export type { RunFile } from './start/installation.js';
export { type Observation, type Observed, observe } from './start/observe.js';
export { type Running, type StartOptions, startEverything } from './start/running.js';
export { samplePorts } from './start/sample-ports.js';
export type { Program } from './start/services.js';
