import { own } from '@countersign/contracts';
/** A row of the counters. */
export interface Count {
  readonly stage: string;
  readonly label: string;
  readonly n: number;
}

/** The way from signals to effects, in numbers since the console began to count. */
export function funnel(
  counts: readonly Count[],
  now: { readonly reviewsOpen: number; readonly deadLettersOpen: number; readonly unresolvedOpen: number },
  at: string,
) {
  const labelsOf = (stage: string): Record<string, number> =>
    Object.fromEntries(counts.filter((c) => c.stage === stage).map((c) => [c.label, c.n]));
  const total = (stage: string): number => counts.reduce((sum, c) => (c.stage === stage ? sum + c.n : sum), 0);
  const named = <K extends string>(stage: string, ...labels: readonly K[]): Record<K, number> => {
    const found = labelsOf(stage);
    return Object.fromEntries(labels.map((label) => [label, own(found, label) ?? 0])) as Record<K, number>;
  };
  return {
    at,
    signals: { ...named('signals', 'accepted', 'rejected'), rejectedBy: labelsOf('signals.rejected') },
    tasks: named('tasks', 'assigned', 'proposed', 'declined', 'escalated', 'withheld'),
    proposals: { total: total('proposals'), byAgent: labelsOf('proposals') },
    /** An action that a person decides has two verdicts: escalated, then approved or refused. An edit supersedes one. */
    verdicts: {
      ...named('verdicts', 'approved', 'refused', 'escalated', 'superseded'),
      /** One refusal can have several rules. */
      refusedBy: labelsOf('verdicts.refused'),
    },
    reviews: { open: now.reviewsOpen, ...named('reviews', 'approve', 'edit', 'reject', 'setAside') },
    /**
     * Settlements of approved permits by their own executors. `unresolved` and `undone` come in addition to another settlement of
     * the same action.
     */
    settled: named('settled', 'executed', 'failed', 'refused', 'expired', 'unresolved', 'undone'),
    /** Permits that wait for a person's decision. */
    unresolved: { open: now.unresolvedOpen },
    permitsRejected: { total: total('permits.rejected'), by: labelsOf('permits.rejected') },
    deadLetters: { open: now.deadLettersOpen, total: total('dead-letters'), byService: labelsOf('dead-letters') },
  };
}

export type Funnel = ReturnType<typeof funnel>;
