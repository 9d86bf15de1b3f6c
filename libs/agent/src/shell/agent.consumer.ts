import {
  type Action,
  type ActionSettled,
  digestOf,
  type PolicyContent,
  type TaskAssigned,
  topics,
} from '@countersign/contracts';
import {
  type Batch,
  type Cause,
  Consumes,
  causeOf,
  deployment,
  RUNTIME,
  type Runtime,
  type Tx,
  type Work,
} from '@countersign/runtime';
import { Controller, Inject, Logger, Optional } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { answer, declined, isLate, latePlan } from '../core/answer.js';
import { clamp } from '../core/clamp.js';
import { plannedFrom } from '../core/facts.js';
import { notOf, weigh } from '../core/permit.js';
import { AGENT, type AgentDefinition, FOLLOW_UP, type FollowUp, type OwnSettlement } from './agent-definition.js';
import { boundsOf } from './bounds.js';
import { readFacts } from './facts.repository.js';
import { MODEL, type ModelAccess } from './model-access.js';
import { planKind } from './plan.job.js';
import {
  answerTasks,
  editsById,
  lockProposals,
  notePermits,
  noteRefusals,
  noteSettlements,
  proposalsById,
  type RememberedProposal,
  rememberAnswered,
  rememberTasks,
  settlementsOf,
  storeEdits,
  storeSettlements,
  takeSettlements,
} from './proposals.repository.js';

const { executors } = deployment();
/** The executor whose topic a settlement came on. Only this executor may write to the topic. */
const writerOf = new Map(executors.map((executor) => [topics.actionsSettled(executor).name, executor]));

/** How an agent handles a batch: tasks become answers, or planning jobs if a model is configured; outcomes are stored. */
@Controller()
export class AgentHandlers {
  private readonly log: Logger;

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(AGENT) private readonly agent: AgentDefinition,
    @Inject(MODEL) private readonly model: ModelAccess | null,
    @Optional() @Inject(FOLLOW_UP) private readonly followUp: FollowUp | undefined,
  ) {
    this.log = new Logger(agent.name);
    this.log.log(model ? `plans with the model ${model.name}, else by rules` : 'plans by rules');
  }

  @Consumes(topics.tasksAssigned)
  async onTasks(@Payload() batch: Batch<'TaskAssigned'>): Promise<void> {
    const own = batch.events.filter(({ event }) => event.data.agent === this.agent.name);
    if (own.length === 0) return;
    const assigned = own.map((received) => ({ task: received.event.data, cause: causeOf(received) }));
    const given = [...new Map(assigned.map((entry) => [entry.task.taskId, entry])).values()];
    await (this.model ? this.planLater(given, batch) : this.planNow(given, batch));
  }

  @Consumes(topics.actionsRefused)
  async onRefused(@Payload() batch: Batch<'ActionRefused'>): Promise<void> {
    const own = batch.events.filter(({ event }) => event.data.agent === this.agent.name);
    if (own.length === 0) return;
    const proposals = await noteRefusals(
      batch.tx,
      own.map(({ event }) => event.data),
      batch.at,
    );
    await this.followUp?.refused(
      own.flatMap((received) => {
        const proposal = proposals.get(received.event.data.proposalId);
        return proposal ? [{ cause: causeOf(received), refused: received.event.data, proposal }] : [];
      }),
      batch,
    );
  }

  @Consumes(topics.actionsApproved)
  async onApproved(@Payload() batch: Batch<'ActionApproved'>): Promise<void> {
    const own = batch.events.filter(({ event }) => event.data.agent === this.agent.name);
    if (own.length === 0) return;
    const known = await lockProposals(
      batch.tx,
      own.map(({ event }) => event.data.proposalId),
    );
    const approved = notePermits(
      batch.tx,
      own.map(({ event }) => event.data),
      known,
      batch.at,
    );
    // Topics have no common order: an action may have been settled before its approval was read here.
    const causes = new Map(own.map((received) => [received.event.data.proposalId, causeOf(received)]));
    const given = (await takeSettlements(batch.tx, [...approved.keys()])).flatMap((settled) => {
      const cause = causes.get(settled.proposalId);
      const permit = approved.get(settled.proposalId)?.permit;
      if (!cause || !permit) return [];
      const reason = notOf(permit, settled);
      if (reason) this.setAside(settled, reason);
      return reason ? [] : [{ cause, settled }];
    });
    await this.count(given, approved, batch);
  }

  @Consumes(...executors.map(topics.actionsSettled))
  async onSettled(@Payload() batch: Batch<'ActionSettled' | 'PermitRejected'>): Promise<void> {
    const executor = writerOf.get(batch.topic);
    const given = batch.events.flatMap((received) =>
      received.event.type === 'ActionSettled' && received.event.data.executor === executor
        ? [{ cause: causeOf(received), settled: received.event.data }]
        : [],
    );
    const known = await lockProposals(
      batch.tx,
      given.map(({ settled }) => settled.proposalId),
    );
    const waiting: ActionSettled[] = [];
    const own = given.filter(({ settled }) => {
      const proposal = known.get(settled.proposalId);
      if (!proposal) return false;
      const weighed = weigh(proposal.permit, settled);
      if (weighed.detail === 'waits') waiting.push(settled);
      if (weighed.detail === 'set aside') this.setAside(settled, weighed.reason);
      return weighed.detail === 'counts';
    });
    storeSettlements(batch.tx, waiting, batch.at);
    await this.count(own, known, batch);
  }

  @Consumes(topics.reviewsDecided)
  async onReviews(@Payload() batch: Batch<'ReviewDecided'>): Promise<void> {
    const edits = batch.events.flatMap((received) => {
      const { subject, decision, action, at } = received.event.data;
      return subject.kind === 'proposal' && decision === 'edit' && action
        ? [{ cause: causeOf(received), proposalId: subject.id, action, at }]
        : [];
    });
    if (edits.length === 0) return;
    storeEdits(batch.tx, edits);
    // Topics have no common order: the edited action may have been carried out before its edit was read here.
    const settled = await settlementsOf(
      batch.tx,
      edits.map((e) => e.proposalId),
    );
    const own = edits.flatMap((edit) =>
      settled.filter((s) => s.actionId === edit.action.actionId).map((s) => ({ cause: edit.cause, settled: s })),
    );
    if (own.length === 0) return;
    const proposals = await proposalsById(
      batch.tx,
      own.map((o) => o.settled.proposalId),
    );
    await this.follow(own, proposals, batch);
  }

  private async planNow(given: readonly { task: TaskAssigned; cause: Cause }[], batch: Work): Promise<void> {
    const facts = await readFacts(
      batch.tx,
      given.map(({ task }) => task),
    );
    const { rules } = this.agent;
    await rememberAnswered(
      batch,
      given.map(({ task, cause }) => {
        const found = facts.get(task.taskId);
        if (!found?.ok) return { task, cause, answer: declined(task, found?.detail ?? 'facts unclear', batch.at) };
        const plan = rules.plan(task, found.facts, batch.at);
        const fitting = clamp(plan, task, found.facts, batch.at, boundsOf(this.agent, task));
        return { task, cause, answer: answer(task, fitting, plannedFrom(fitting, found.facts), batch.at) };
      }),
    );
  }

  private async planLater(assigned: readonly { task: TaskAssigned; cause: Cause }[], batch: Work): Promise<void> {
    const tasks = assigned.map(({ task }) => task);
    const fresh = await rememberTasks(batch.tx, tasks, batch.at);
    const given = assigned.filter(({ task }) => fresh.has(task.taskId));
    const late = given.filter(({ task }) => isLate(task, batch.at));
    await answerTasks(
      batch,
      late.map(({ task, cause }) => ({ task, cause, answer: declined(task, latePlan, batch.at) })),
    );
    for (const { task, cause } of given) {
      if (isLate(task, batch.at)) continue;
      batch.schedule(cause, { kind: planKind, id: task.taskId, dueAt: batch.at, payload: { taskId: task.taskId } });
    }
  }

  /** Stores the settlements that belong to the permits of these proposals, and follows up on those that change something. */
  private async count(
    given: readonly { cause: Cause; settled: ActionSettled }[],
    proposals: ReadonlyMap<string, RememberedProposal>,
    work: Work,
  ): Promise<void> {
    const counted = noteSettlements(work.tx, given, proposals, work.at);
    for (const { settled } of given.filter((settlement) => !counted.includes(settlement)))
      this.log.debug(
        `${settled.outcome} of ${settled.proposalId} by ${settled.executor} changes nothing: its permit has ended`,
      );
    await this.follow(counted, proposals, work);
  }

  private setAside({ proposalId, executor }: ActionSettled, reason: string): void {
    this.log.warn(`settlement of ${proposalId} by ${executor} set aside: ${reason}`);
  }

  /** Passes settlements on with the action that ran. If the action is not known here yet, the settlement waits for its edit. */
  private async follow(
    given: readonly { cause: Cause; settled: ActionSettled }[],
    proposals: ReadonlyMap<string, RememberedProposal>,
    work: Work,
  ): Promise<void> {
    if (!this.followUp || given.length === 0) return;
    const ran = await this.ran(
      work.tx,
      given.map(({ settled }) => settled),
      proposals,
    );
    const own = given.flatMap(({ cause, settled }): OwnSettlement[] => {
      const proposal = proposals.get(settled.proposalId);
      const action = ran(settled);
      return proposal && action && isDigestOf(action, settled) ? [{ cause, settled, proposal, action }] : [];
    });
    await this.followUp.settled(own, await this.policy(work.tx), work);
  }

  /** The action of a settlement: as it was proposed, or as a person edited it; undefined if it is not known yet. */
  private async ran(
    tx: Tx,
    settled: readonly ActionSettled[],
    proposals: ReadonlyMap<string, RememberedProposal>,
  ): Promise<(settlement: ActionSettled) => Action | undefined> {
    const proposed = ({ proposalId, actionId }: ActionSettled) => {
      const action = proposals.get(proposalId)?.action;
      return action?.actionId === actionId ? action : undefined;
    };
    const edits = await editsById(
      tx,
      settled
        .filter((settlement) => proposals.has(settlement.proposalId) && !proposed(settlement))
        .map(({ actionId }) => actionId),
    );
    return (settlement) => proposed(settlement) ?? edits.get(settlement.actionId);
  }

  private async policy(tx: Tx): Promise<PolicyContent | null> {
    const found = await this.runtime.state(tx, topics.policies, ['main']);
    return found.get('main')?.data?.content ?? null;
  }
}

const isDigestOf = (action: Action, settled: ActionSettled): boolean => digestOf(action) === settled.digest;
