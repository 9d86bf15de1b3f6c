/** Why a record cannot be read as an event, whatever it says. */
export const unreadableCodes = [
  'batch',
  'no-value',
  'media-type',
  'charset',
  'not-json',
  'too-deep',
  'not-an-object',
  'bad-attribute',
] as const;
export type UnreadableCode = (typeof unreadableCodes)[number];
/** Of a whole request over HTTP, which its answer refuses: no event tells of it. */
export type RequestCode = 'not-an-array' | 'too-many';

/** Why a signal that can be read is rejected all the same. */
export const admissionCodes = ['future', 'quality', 'identity-conflict', 'currency'] as const;
export type AdmissionCode = (typeof admissionCodes)[number];

/** Every code that a reason of `SignalRejected` may have today. Events of before, or of a later version, may have others. */
export const rejectionCodes = [
  ...unreadableCodes,
  'wrong-author',
  'unknown-type',
  'contract',
  'duplicate',
  ...admissionCodes,
] as const;
export type RejectionCode = (typeof rejectionCodes)[number];
