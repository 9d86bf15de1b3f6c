import { pass, type Rule, refuse } from '../rule.js';

/**
 * An agent may do only what charter, task and play all allow. The allowed kinds of the play are read from the policy, not from
 * the agent's own copy of the task.
 */
export const allowedKind: Rule = {
  name: 'allowed-kind',
  parts: ({ proposal }) => [`play:${proposal.play.id}`],
  weigh: ({ proposal, subject, tier, policy }) => {
    const { kind } = subject;
    if (tier === undefined) return refuse(`the charter of ${proposal.agent} does not list ${kind}`, { kind });
    if (!proposal.kinds.includes(kind)) {
      return refuse(`the task allows ${proposal.kinds.join(', ') || 'nothing'}, not ${kind}`, { kind });
    }
    const play = policy.content.plays.find((p) => p.id === proposal.play.id);
    if (!play) return refuse(`the play ${proposal.play.id} is not in force`, { play: proposal.play.id });
    const granted = play.tasks.some((task) => task.agent === proposal.agent && task.kinds.some((k) => k === kind));
    return granted
      ? pass(`${kind} is allowed by charter, task and play`, { kind })
      : refuse(`the play ${play.id} gives ${proposal.agent} no task with ${kind}`, { kind, play: play.id });
  },
};
