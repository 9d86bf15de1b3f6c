import type { DataOf } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { readersOf } from './readers.js';

type Judged = DataOf<'DryRunJudged'>;
export type DryVerdict = Pick<Judged, 'outcome' | 'reasons' | 'at'> & {
  /** Null if the rules were not asked. */
  readonly policy: Judged['policy'] | null;
  readonly runningTotals: Judged['runningTotals'] | null;
};

/** Dry runs that a page waits for, and their verdicts. */
@Injectable()
export class DryRunStore {
  private readonly reader: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    this.reader = readersOf(runtime).forActs;
  }

  /** Stores a dry run. Those asked before `forget` are deleted: no page waits for them any more. */
  ask(tx: Tx, { dryRunId, at }: Pick<DataOf<'DryRunAsked'>, 'dryRunId' | 'at'>, forget: string): void {
    tx.write('DELETE FROM dry_runs WHERE asked_at < $1', [forget]);
    tx.write('INSERT INTO dry_runs (dry_run_id, asked_at) VALUES ($1, $2) ON CONFLICT DO NOTHING', [dryRunId, at]);
  }

  /** Stores only the verdicts that a page waits for. */
  judged(tx: Tx, verdicts: readonly DataOf<'DryRunJudged'>[]): void {
    for (const { dryRunId, outcome, reasons, at, policy, runningTotals } of verdicts)
      tx.write(
        'UPDATE dry_runs SET outcome = $2, reasons = $3, judged_at = $4, policy = $5, running_totals = $6 WHERE dry_run_id = $1',
        [
          ...[dryRunId, outcome, JSON.stringify(reasons), at],
          policy ? JSON.stringify(policy) : null,
          runningTotals ? JSON.stringify(runningTotals) : null,
        ],
      );
  }

  async verdict(dryRunId: string): Promise<DryVerdict | undefined> {
    const [row] = await this.reader.query<Omit<DryVerdict, 'at'> & { judged_at: Date }>(
      `SELECT outcome, reasons, judged_at, policy, running_totals AS "runningTotals" FROM dry_runs
       WHERE dry_run_id = $1 AND judged_at IS NOT NULL`,
      [dryRunId],
    );
    if (!row) return undefined;
    const { judged_at, ...verdict } = row;
    return { ...verdict, at: judged_at.toISOString() };
  }
}
