import type { JobContext } from '@countersign/runtime';

/** Tokens that may still be spent: held before a question, settled after it. */
export interface TokenBudget {
  /** Holds tokens; false where the day has not that many left, and nothing is held then. */
  reserve(tokens: number): Promise<boolean>;
  /** Turns what was held for a question into what it used. */
  settle(reserved: number, used: number): Promise<void>;
}

/**
 * The agent's budget of one UTC day, in its own database, so that all its instances share it. What is held when a process dies
 * stays held for that day: a question that was asked may have been paid for.
 */
export const tokenBudget = (
  context: Pick<JobContext, 'transaction'>,
  day: string,
  tokensPerDay: number,
): TokenBudget => ({
  reserve: (tokens) =>
    context.transaction(async ({ tx }) => {
      await tx.query('INSERT INTO token_budgets (day) VALUES ($1) ON CONFLICT DO NOTHING', [day]);
      const rows = await tx.query(
        'UPDATE token_budgets SET held = held + $2 WHERE day = $1 AND held + used + $2 <= $3 RETURNING day',
        [day, tokens, tokensPerDay],
      );
      return rows.length > 0;
    }),
  settle: (reserved, used) =>
    context.transaction(async ({ tx }) => {
      await tx.query('UPDATE token_budgets SET held = held - $2, used = used + $3 WHERE day = $1', [
        day,
        reserved,
        used,
      ]);
    }),
});
