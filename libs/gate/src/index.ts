export { effectiveTier, type TierCandidate } from './effective-tier.js';
export * from './facts.js';
export {
  type Examined,
  examine,
  governing,
  type Judgement,
  judge,
  judgeExamined,
} from './judge.js';
export { type PublicKeyJwk, readSigningKey, readVerifyKeys, type SigningKey, type VerifyKeys } from './keys.js';
export {
  accountFact,
  adAccountFact,
  consentFact,
  contactFact,
  controlFact,
  type Known,
  originFact,
  whereaboutsFact,
} from './known.js';
export * from './open.js';
export { PERMIT_TYPE, type PermitExplained, type PermitFault, readPermit, seal, verifyPermit } from './permit.js';
export { zoneOpenFrom } from './quiet.js';
export { comparable, moneyLedger, type RatesFact, ratesFact, totalIn, withHeld } from './rates.js';
export { type Counts, rateOf, rateSlotMs, type Slots, slotOf, windowOf } from './rolling.js';
export type { Context, Finding, Rule } from './rule.js';
export { outsideTask } from './rules/task.js';
export {
  type Concerns,
  campaignsOf,
  concerns,
  controlScopes,
  type Draw,
  enrolsIn,
  type ReadAction,
  rateLedger,
  readAction,
  type Subject,
  stopsIn,
  subjectOf,
} from './subject.js';
export { gateVersion } from './version.js';
