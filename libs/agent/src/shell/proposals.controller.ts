import { Documented, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import { ProposalsAnswer } from '../core/answers.js';
import { proposalStates } from '../core/proposal-state.js';

const Asked = z.strictObject({
  state: z.enum(proposalStates).optional(),
  task: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

/** What the agent proposed and what became of it, newest first. */
@Controller()
export class ProposalsPage {
  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  @Get('proposals')
  @Documented({
    summary: 'What the agent proposed and what became of it, newest first',
    answers: { 200: ProposalsAnswer },
  })
  async proposals(@Query({ schema: Asked }) { state, task, limit }: z.infer<typeof Asked>): Promise<object> {
    // Only the conditions that were asked for: with a condition that may be absent, the database could not use the index of another
    // condition.
    const conditions = [
      ...(state === undefined ? [] : ['p.state = $2']),
      ...(task === undefined ? [] : [`p.task_id = $${state === undefined ? 2 : 3}`]),
    ];
    const proposals = await this.runtime.readForPage(
      `SELECT p.proposal_id AS "proposalId", p.task_id AS "taskId", t.task -> 'play' AS play, p.kind, p.action, p.planner, p.state,
              p.outcome, p.proposed_at AS "proposedAt", p.changed_at AS "changedAt"
       FROM proposals p JOIN tasks t USING (task_id)
       ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
       ORDER BY p.proposed_at DESC, p.proposal_id LIMIT $1`,
      [limit, ...[state, task].filter((value) => value !== undefined)],
    );
    return { proposals };
  }
}
