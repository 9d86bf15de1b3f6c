import type { Ending } from '../core/card.js';

/** The end of a checkpoint whose tasks never go out, in a row of its run or its card; null in each if there is none. */
export interface EndingRow {
  withheld_as: Ending['outcome'] | null;
  withheld_review_id: string | null;
  withheld_by: string | null;
  withheld_reason: Ending['reason'] | null;
  withheld_at: Date | null;
}

/** The columns of `withheld_tasks`, under the name that the statement gives to the table. */
export const endingColumns = (table: string): string =>
  `${table}.outcome AS withheld_as, ${table}.review_id AS withheld_review_id, ${table}.by_person AS withheld_by, ${table}.reason AS withheld_reason, ${table}.withheld_at`;

export const endingOf = (row: EndingRow): Ending | null =>
  row.withheld_as && row.withheld_reason && row.withheld_at
    ? {
        outcome: row.withheld_as,
        reviewId: row.withheld_review_id,
        by: row.withheld_by,
        reason: row.withheld_reason,
        at: row.withheld_at.toISOString(),
      }
    : null;
