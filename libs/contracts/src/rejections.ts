/** Why a record cannot be read as an event, whatever its content. */
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
/** Reasons for a whole HTTP request, which its answer refuses. No event reports them. */
export type RequestCode = 'not-an-array' | 'too-many';

/** Why a signal is rejected although it can be read. */
export const admissionCodes = ['future', 'quality', 'identity-conflict', 'currency'] as const;
export type AdmissionCode = (typeof admissionCodes)[number];

/** Every code that a reason of `SignalRejected` may have today. Events of earlier or later versions may have others. */
export const rejectionCodes = [
  ...unreadableCodes,
  'wrong-author',
  'unknown-type',
  'contract',
  'duplicate',
  ...admissionCodes,
] as const;
export type RejectionCode = (typeof rejectionCodes)[number];
