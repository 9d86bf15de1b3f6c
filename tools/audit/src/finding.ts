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

/** A state that must never occur. */
export interface Violation {
  readonly invariant: Invariant;
  /** The subjects: permits, actions, proposals, places. `countersign show` knows most of them. */
  readonly ids: readonly string[];
  readonly detail: string;
}

/** Something that has no end yet, and who must end it. */
export interface Waiting {
  readonly what: string;
  readonly id: string;
  readonly for: string;
  readonly since: string;
  /** When it should have ended; null if only a person can end it. */
  readonly until: string | null;
}

/** The result of the check of one invariant. */
export interface Finding {
  /** How many things were looked at. */
  readonly checked: number;
  readonly violations: readonly Violation[];
  readonly waiting?: readonly Waiting[];
  /** Why it could not be checked, or only in part. */
  readonly note?: string;
}
