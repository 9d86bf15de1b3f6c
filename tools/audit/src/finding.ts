export type Invariant =
  | 'permitted'
  | 'policies'
  | 'judged'
  | 'once'
  | 'nothing-lost'
  | 'limits'
  | 'consents'
  | 'reservations'
  | 'stops'
  | 'binding'
  | 'record';

/** Something that must never be so. */
export interface Violation {
  readonly invariant: Invariant;
  /** What it is about: permits, actions, proposals, places. `countersign show` knows most of them. */
  readonly ids: readonly string[];
  readonly detail: string;
}

/** Something that has no end yet, and who is to give it one. */
export interface Waiting {
  readonly what: string;
  readonly id: string;
  readonly for: string;
  readonly since: string;
  /** When it should have ended; null where nothing but a person ends it. */
  readonly until: string | null;
}

/** What one invariant's check came to. */
export interface Finding {
  /** How many things were looked at. */
  readonly checked: number;
  readonly violations: readonly Violation[];
  readonly waiting?: readonly Waiting[];
  /** Why it could not be checked, or not wholly. */
  readonly note?: string;
}
