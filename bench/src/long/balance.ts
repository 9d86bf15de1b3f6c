/** The part of the answer of `countersign audit invariants --json` that is read here. */
export interface Audit {
  readonly ok: boolean;
  readonly invariants: readonly { readonly invariant: string; readonly checked: number; readonly note?: string }[];
  readonly violations: readonly {
    readonly invariant: string;
    readonly ids: readonly string[];
    readonly detail: string;
  }[];
  readonly waiting: readonly { readonly what: string; readonly id: string; readonly for: string }[];
  readonly counts: Readonly<Record<string, number>>;
}

/** What the connected system did. */
export interface Effects {
  readonly done: number;
  readonly rejected: number;
}

/** What is wrong after a run of so many signals, each of another person, who became known by a signal too. Nothing runs any more. */
export function faultsOf(signals: number, audit: Audit, { done, rejected }: Effects): string[] {
  const broken = Map.groupBy(audit.violations, ({ invariant }) => invariant);
  const [first] = audit.waiting;
  const expected = {
    accepted: 2 * signals,
    ...Object.fromEntries(
      ['tasks', 'proposals', 'approvals', 'settlements', 'executed'].map((what) => [what, signals] as const),
    ),
    refusals: 0,
    deadLetters: 0,
  };
  return [
    ...[...broken].map(([invariant, found]) => {
      const finding = found[0] as Audit['violations'][number];
      return `the invariant ${invariant} is broken ${found.length} times; the first: ${finding.detail} (${finding.ids.join(', ')})`;
    }),
    ...audit.invariants.flatMap(({ invariant, note }) =>
      note === undefined ? [] : [`the invariant ${invariant} could not be checked in full: ${note}`],
    ),
    ...(first
      ? [`${audit.waiting.length} steps still wait; the first: ${first.what} ${first.id} for ${first.for}`]
      : []),
    ...differences(expected, audit.counts),
    ...differences(
      { 'effects in the CRM': signals, 'calls that the CRM refused': 0 },
      { 'effects in the CRM': done, 'calls that the CRM refused': rejected },
    ),
  ];
}

const differences = (expected: Readonly<Record<string, number>>, counted: Readonly<Record<string, number>>): string[] =>
  Object.entries(expected).flatMap(([what, count]) =>
    counted[what] === count ? [] : [`${what}: ${counted[what]} in place of ${count}`],
  );
