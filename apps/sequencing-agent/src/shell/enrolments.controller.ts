import { Documented, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Get, Inject } from '@nestjs/common';
import { EnrolmentsAnswer } from '../core/answers.js';

/** Which contacts are in which sequence, how far, and why they ended; the newest 500. */
@Controller()
export class EnrolmentsPage {
  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  @Get('enrolments')
  @Documented({ summary: 'Who is in which sequence, newest first', answers: { 200: EnrolmentsAnswer } })
  async enrolments(): Promise<{ enrolments: readonly object[] }> {
    const enrolments = await this.runtime.readForPage<object>(
      `SELECT enrolment_id AS "enrolmentId", task_id AS "taskId", account_id AS "accountId", contact_id AS "contactId",
              sequence_id AS "sequenceId", state, reason, steps_proposed AS "stepsProposed", started_at AS "startedAt",
              ended_at AS "endedAt"
       FROM enrolments ORDER BY started_at DESC, enrolment_id LIMIT 500`,
    );
    return { enrolments };
  }
}
