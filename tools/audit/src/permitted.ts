import { CLOCK_TOLERANCE_SECONDS, outsideTask } from '@countersign/gate';
import {
  couldRun,
  effectAt,
  executorOf,
  type Facts,
  type Issued,
  isExecuted,
  messageIdOf,
  proposalName,
  settledAs,
  taskIdOf,
} from './facts.js';
import type { Finding, Violation } from './finding.js';

/** No effect without a valid permit: neither an effect that was settled nor one that only a connected system shows. */
export function permitted(facts: Facts): Finding {
  const violations: Violation[] = [];
  const violation = (ids: readonly string[], detail: string): void => {
    violations.push({ invariant: 'permitted', ids, detail });
  };
  for (const { place, event } of facts.strange) {
    const { outcome, permitId, actionId } = event.data;
    if (outcome !== 'executed' && outcome !== 'undone') continue;
    const permit = facts.issued.get(permitId);
    const reason = permit
      ? `the permit is for ${permit.claims.aud} and action ${permit.claims.sub}`
      : (facts.unissued.find((u) => u.seen.event.data.permitId === permitId)?.reason ?? 'no such permit was approved');
    violation([permitId, actionId], `${executorOf(place.topic)} settled it as ${outcome}, but ${reason}`);
  }
  let effects = 0;
  for (const permit of facts.issued.values()) {
    const unasked = couldRun(permit) ? (unproposed(facts, permit) ?? unassigned(facts, permit)) : undefined;
    if (unasked) violation([permit.claims.jti, permit.claims.sub], unasked);
    const executed = settledAs(permit, 'executed');
    if (!executed) continue;
    effects += 1;
    const { claims, approval } = permit;
    const { actionId, proposalId } = executed.event.data;
    const ran = effectAt(facts, permit);
    if (actionId !== claims.sub || proposalId !== claims.proposal) {
      violation([claims.jti, actionId], `what was settled is not the action ${claims.sub} of the permit`);
    }
    // By the broker's clock, with which no other clock agrees exactly.
    if (Date.parse(ran) < (claims.nbf - CLOCK_TOLERANCE_SECONDS) * 1000) {
      violation([claims.jti, actionId], `executed at ${ran}, before ${approval.notBefore}, when it might run`);
    }
  }

  const made = new Map(
    [...facts.issued.values()].flatMap((permit) => {
      const { actionId } = permit.approval;
      return [messageIdOf(actionId), taskIdOf(actionId)].map((id) => [id, permit] as const);
    }),
  );
  for (const [id, at] of facts.effects) {
    const permit = made.get(id);
    if (!permit) {
      violation([id], `a connected system has it since ${at}, and no approval leads to it`);
      continue;
    }
    // Not settled yet, or settled by nobody for certain: both say elsewhere that they wait.
    const end = permit.settlements.find(({ event }) => ['failed', 'refused', 'expired'].includes(event.data.outcome));
    if (end && !isExecuted(permit)) {
      const { outcome } = end.event.data;
      violation([permit.claims.jti, permit.claims.sub], `settled as ${outcome}, and the effect is there since ${at}`);
    }
  }
  return {
    checked: effects,
    violations,
    ...(facts.sandbox === null && { note: 'the sandbox systems were not reachable, so only settlements were checked' }),
  };
}

/** Everything that is approved was proposed: by an agent, or by the person whose edit replaced the proposal. */
function unproposed({ proposed }: Facts, { claims, approval }: Issued): string | undefined {
  const actions = proposed.get(proposalName(claims.agent, claims.proposal));
  if (!actions) return `it approves proposal ${claims.proposal}, which ${claims.agent} never made`;
  return actions.has(claims.digest) || approval.review?.decision === 'edit'
    ? undefined
    : `it approves another action than proposal ${claims.proposal} proposes`;
}

/** Everything that is proposed belongs to a task that the orchestrator gave to this agent, for this account. */
function unassigned({ assigned, record }: Facts, { claims, approval, subject }: Issued): string | undefined {
  const { taskId, action } = approval;
  const task = assigned.get(taskId);
  // The topic alone has deleted the tasks of long sequences.
  if (!task) return record === null ? undefined : `its task ${taskId} was assigned to nobody`;
  if (task.agent !== claims.agent) return `its task ${taskId} was assigned to ${task.agent}, not to ${claims.agent}`;
  if (task.play.id !== claims.play) return `its task ${taskId} is of the play ${task.play.id}, not of ${claims.play}`;
  // What the task does not say may be a person's to answer; what it says otherwise is nobody's.
  const outside = outsideTask(task, action, subject).find(({ outcome }) => outcome === 'refuse');
  if (outside) return `its task ${taskId} is not about this: ${outside.detail}`;
  return task.kinds.includes(claims.kind) ? undefined : `its task ${taskId} does not allow ${claims.kind}`;
}
