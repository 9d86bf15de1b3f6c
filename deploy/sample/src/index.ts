export { type Sample, sample, sampleSeed, signalsOf } from './core/sample.js';
export type { Observed, Refusal, Seen } from './core/seen.js';
export type { Signal, Source } from './core/signals.js';
export type { Act, Broken, SandboxCampaign, Step, Story } from './core/story.js';
export { type Account, type Campaign, type Contact, cast, type World } from './core/world.js';
export { firstStart } from './first-start.js';
export { type PlayOptions, type Progress, playSample, type SamplePorts, type StoryResult } from './play.js';
