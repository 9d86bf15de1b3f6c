import { actionKey, topics } from '@countersign/contracts';
import { type ReadAction, readAction } from '@countersign/gate';
import { type Batch, Consumes, causeOf, deployment, type Received } from '@countersign/runtime';
import { Controller, Inject, Logger } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { refusedBecause, refusedEvent } from '../core/events.js';
import { verdictsOf } from '../core/past.js';
import { enrolmentOf } from '../core/verdicts.js';
import { type Case, VerdictsService } from './verdicts.service.js';

const { agents } = deployment();

/** Takes proposals in: each is judged once. If its author uses the same id again for something else, that is refused and not judged. */
@Controller()
export class Proposals {
  private readonly log = new Logger('proposals');

  constructor(@Inject(VerdictsService) private readonly verdicts: VerdictsService) {}

  @Consumes(...agents.map(topics.actionsProposed))
  async onProposed(@Payload() batch: Batch<'ActionProposed'>): Promise<void> {
    const author = agents.find((agent) => topics.actionsProposed(agent).name === batch.topic) ?? batch.topic;
    const first = new Map<string, { received: Received<'ActionProposed'>; read: ReadAction }>();
    const again: { received: Received<'ActionProposed'>; read: ReadAction }[] = [];
    for (const received of batch.events) {
      const { proposalId, action } = received.event.data;
      const entry = { received, read: readAction(action) };
      if (first.has(proposalId)) again.push(entry);
      else first.set(proposalId, entry);
    }
    const notes = [...first].map(([proposalId, { received, read }]) => {
      const { taskId } = received.event.data;
      return { proposalId, digest: read.digest, taskId, enrolment: enrolmentOf(read.read) };
    });
    const { fresh, known, inForce } = await this.verdicts.note(batch.tx, author, notes, batch.at);
    const published = await batch.published('subject', [...fresh]);
    const cases: Case[] = [];
    const past: Parameters<VerdictsService['adopt']>[1][number][] = [];
    for (const [proposalId, entry] of first) {
      const { event, takenAt = batch.at } = entry.received;
      const found = {
        request: { proposal: event.data, author, takenAt, read: entry.read },
        cause: causeOf(entry.received),
      };
      // A verdict on another agent's proposal with this id is no verdict on this one.
      const verdicts = verdictsOf(published.get(proposalId) ?? []).filter(({ data }) => data.agent === author);
      if (!fresh.has(proposalId)) again.push(entry);
      else if (verdicts.length > 0) past.push({ ...found, digest: entry.read.digest, published: verdicts });
      else cases.push(found);
    }
    this.verdicts.adopt(batch, past);
    const { policy } = inForce;
    for (const { received, read } of again) {
      const { digest } = read;
      const proposal = received.event.data;
      const before = known.get(proposal.proposalId);
      if (before === digest) continue;
      this.log.warn(`${author} used the id of proposal ${proposal.proposalId} again for another action`);
      const under = { tier: null, policy: { version: policy?.version ?? 0, digest: policy?.digest ?? null } };
      const detail = `the id was used before for action digest ${before ?? 'unknown'}; it is not judged again`;
      batch.emit(causeOf(received), topics.actionsRefused, {
        key: actionKey(proposal.action),
        data: refusedEvent({ proposal, author }, digest, refusedBecause('proposal-id', detail, under, batch.at)),
        subject: proposal.proposalId,
      });
    }
    await this.verdicts.decideVerdicts(batch, cases, inForce);
  }
}
