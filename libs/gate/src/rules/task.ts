import { gravest, pass, type Rule, refuse } from '../rule.js';

/** Nothing is proposed out of the blue: there is a task, and the orchestrator has assigned it. */
export const taskKnown: Rule = {
  name: 'task-unknown',
  weigh: ({ proposal: { taskId }, facts: { task } }) =>
    task ? pass(`task ${taskId} was assigned`) : refuse(`no task ${taskId} was assigned to anybody`, { taskId }),
};

/**
 * What a proposal says of its task is checked against the task itself: whose it is, for which run of which play, about which account,
 * and what it allows. Authority that an author could name is none.
 */
export const task: Rule = {
  name: 'task',
  weigh: ({ proposal, subject, facts }) => {
    const { task: of, author } = facts;
    if (!of) return undefined;
    const { play, action } = proposal;
    const { kind, adAccountId } = subject;
    const same = (what: string, ofTask: string | undefined, named: string | undefined) =>
      ofTask === named
        ? []
        : [
            refuse(`the ${what} of the task is ${ofTask ?? 'none'}, that of the proposal is ${named ?? 'none'}`, {
              task: ofTask ?? null,
              named: named ?? null,
            }),
          ];
    const found = [
      ...same('agent', of.agent, author),
      ...same('play', of.play.id, play.id),
      ...same('run', of.play.runId, play.runId),
      ...same('account', of.accountId, action.accountId),
      ...(adAccountId === undefined ? [] : same('ad account', of.adAccountId, adAccountId)),
      ...(of.kinds.includes(kind)
        ? []
        : [refuse(`the task was assigned with ${of.kinds.join(', ')}, not with ${kind}`, { kind })]),
    ];
    return gravest(found) ?? pass(`the task was given to ${of.agent} for this account and ${kind}`, { kind });
  },
};
