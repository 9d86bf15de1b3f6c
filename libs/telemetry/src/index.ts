export { isConfigured, startTelemetry } from './provider.js';
export { attributes, type Processing, type ProcessingOf, startProcessing } from './spans.js';
