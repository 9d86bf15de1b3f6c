import type { Envelope, SignalData, SignalType } from '@countersign/contracts';

/** A canonical signal of type T whose data fits its contract. */
export type SignalOf<T extends SignalType> = T extends SignalType ? Envelope<T, SignalData<T>> : never;
export type Signal = SignalOf<SignalType>;

/** The source and time of a fact, as profiles and consents store them. */
export interface Origin {
  readonly source: string;
  readonly signalId: string;
  /** When it happened, by the signal's own time, but never later than it was received. */
  readonly at: string;
}
