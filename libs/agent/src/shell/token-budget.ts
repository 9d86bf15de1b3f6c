import type { JobContext } from '@countersign/runtime';

/** Tokens that may still be used: held before a question, settled after it. */
export interface TokenBudget {
  /** Holds tokens. If the day has not that many left, returns false and holds nothing. */
  reserve(tokens: number): Promise<boolean>;
  /** Replaces the held tokens of a question by the tokens that it used. */
  settle(reserved: number, used: number): Promise<void>;
}

/**
 * The agent's budget of one UTC day, in its own database, so that all its instances share it. If a process dies, the tokens that it
 * held stay held for that day, because a question that was asked may have been charged.
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
