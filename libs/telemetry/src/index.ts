export { attributes, exportable } from './attributes.js';
export {
  type CounterName,
  count,
  type GaugeName,
  type HistogramName,
  instruments,
  observe,
  type ReportGauge,
  record,
} from './metrics.js';
export { configured, isConfigured, startTelemetry } from './provider.js';
export {
  type Answering,
  type Calling,
  type Processing,
  type ProcessingOf,
  sent,
  startAct,
  startCall,
  startJob,
  startProcessing,
  startRecording,
  startRequest,
  transactionEnded,
} from './spans.js';
export { isOn, type Moment, moment, since } from './switch.js';
export { contextOf, traceparentOf } from './trace-context.js';
