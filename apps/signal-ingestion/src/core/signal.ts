import type { Envelope, SignalData, SignalType } from '@countersign/contracts';

/** A canonical signal of type T whose data has passed its contract. */
export type SignalOf<T extends SignalType> = T extends SignalType ? Envelope<T, SignalData<T>> : never;
export type Signal = SignalOf<SignalType>;

/** Where and when a fact was learnt, as profiles and consents keep it. */
export interface Origin {
  readonly source: string;
  readonly signalId: string;
  /** When it happened, by the signal's own time, never later than it was received. */
  readonly at: string;
}
