import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Each question to a model, with what it used. Its figures are missing until its end is stored. */
export class ModelQuestions1764500000231 implements MigrationInterface {
  readonly name = 'ModelQuestions1764500000231';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE questions (
        question_id uuid PRIMARY KEY,
        task_id uuid NOT NULL REFERENCES tasks,
        model text NOT NULL,
        asked_at timestamptz NOT NULL,
        calls int,
        unknown_calls int,
        input_tokens bigint,
        output_tokens bigint
      )`);
    await runner.query('CREATE INDEX questions_by_task ON questions (task_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE questions');
  }
}
