export type {
  AcknowledgedGap,
  Card,
  Confirmed,
  Control,
  DeadLetterAnswer,
  DeadLetterRow,
  Funnel,
  Gap,
  Health,
  Now,
  Participants,
  ReportedGap,
  ReviewResult,
  Run,
  Story,
  Task,
  UnresolvedPermit,
} from './answers.js';
export { applySettings, changesBetween, Misused } from './edit.js';
export { installation } from './installation.js';
export { anotherThan, publisherOf, type Source } from './participants.js';
export {
  clock,
  count,
  distance,
  localClock,
  type Paint,
  printable,
  printableLines,
  table,
  tally,
  titled,
  wrap,
} from './text.js';
