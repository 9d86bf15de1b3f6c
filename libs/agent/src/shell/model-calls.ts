import { randomUUID } from 'node:crypto';
import type { JobContext, Tx } from '@countersign/runtime';
import type { Calls, StoredQuestion } from '../core/model/calls.js';

/** Stores the calls of a task's questions, so that their tokens survive the end of the process and a repeat of the job. */
export interface QuestionBook {
  /**
   * Called before a question. Undefined if the task already has its answer: the answer reports the tokens, so no further question
   * may be asked.
   */
  begin(): Promise<string | undefined>;
  end(questionId: string, calls: Calls): Promise<void>;
}

/** The questions of one task, in the agent's database. */
export const questionBook = (
  context: Pick<JobContext, 'transaction'>,
  taskId: string,
  model: string,
): QuestionBook => ({
  begin: () =>
    context.transaction(async ({ tx, at }) => {
      // The code that answers a task locks its row. So a question begins before that and is reported with the answer, or does not
      // begin.
      const rows = await tx.query<{ question_id: string }>(
        `INSERT INTO questions (question_id, task_id, model, asked_at)
         SELECT $1, t.task_id, $3, $4 FROM (SELECT task_id FROM tasks WHERE task_id = $2 AND answered_at IS NULL FOR SHARE) t
         RETURNING question_id`,
        [randomUUID(), taskId, model, at],
      );
      return rows[0]?.question_id;
    }),
  end: (questionId, { calls, unknownCalls, inputTokens, outputTokens }) =>
    context.transaction(async ({ tx }) => {
      await tx.query(
        'UPDATE questions SET calls = $2, unknown_calls = $3, input_tokens = $4, output_tokens = $5 WHERE question_id = $1',
        [questionId, calls, unknownCalls, inputTokens, outputTokens],
      );
    }),
});

interface QuestionRow {
  readonly model: string;
  readonly calls: number | null;
  readonly unknown_calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
}

/** The questions of a task whose answer is about to be written. Its row is locked from now on, so that no question begins later. */
export async function questionsOf(tx: Tx, taskId: string): Promise<readonly StoredQuestion[]> {
  await tx.query('SELECT 1 FROM tasks WHERE task_id = $1 FOR UPDATE', [taskId]);
  const rows = await tx.query<QuestionRow>(
    `SELECT model, calls, unknown_calls, input_tokens, output_tokens FROM questions
     WHERE task_id = $1 ORDER BY asked_at, question_id`,
    [taskId],
  );
  return rows.map((row) => ({
    model: row.model,
    calls:
      row.calls === null
        ? undefined
        : {
            calls: row.calls,
            unknownCalls: row.unknown_calls,
            inputTokens: row.input_tokens,
            outputTokens: row.output_tokens,
          },
  }));
}
