import { actionKey, topics } from '@countersign/contracts';
import { governing, isStale, type PolicyInForce, type SigningKey, seal } from '@countersign/gate';
import { type Cause, jobName, RUNTIME, type Runtime, type Tx, type Work } from '@countersign/runtime';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { approvedEvent, escalatedEvent, refusedEvent } from '../core/events.js';
import { type PublishedVerdict, publishedEnd } from '../core/past.js';
import {
  decideVerdicts,
  markOf,
  neededBy,
  prepare,
  stepOf,
  type VerdictRequest,
  type VerdictResult,
} from '../core/verdicts.js';
import { readFacts } from './facts.repository.js';
import { SIGNING_KEY } from './settings.js';
import { type NewPermit, type NewVerdict, namedIn, type PolicyRow, Store } from './verdicts.repository.js';

/** A request with the event or act that asks for it. */
export interface Case {
  readonly request: VerdictRequest;
  readonly cause: Cause;
}

/** The policy that a transaction judges under; null if none was published, or its digests do not match its content. */
export interface InForce {
  readonly policy: PolicyInForce | null;
  /** Whether its content was seen among the stored policies. */
  readonly stored: boolean;
}

/** The policy's row at the last read, and the policy made from it; undefined if it was not read yet. */
interface Read {
  readonly written: string | null | undefined;
  readonly digest: string | null;
  readonly governing: PolicyInForce | null;
}

/** Thrown when the service does not know the present controls: nothing is judged until it does. Its code makes it transient. */
class StateStale extends Error {
  readonly code = 'ETIMEDOUT';
}

export const DEADLINE = jobName<unknown>('review-deadline');

/** Judges cases under locks, stores the decisions and publishes them. This is the only place that seals a permit. */
@Injectable()
export class VerdictsService {
  private readonly log = new Logger('verdicts');
  private read: Read = { written: undefined, digest: null, governing: null };

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(SIGNING_KEY) private readonly key: SigningKey,
  ) {}

  /** Notes proposals as the store does, and returns the policy that the new ones are judged under. */
  async note(tx: Tx, author: string, proposals: Parameters<Store['noteProposals']>[2], at: string) {
    const last = this.read;
    const { policy, ...noted } = await this.store.noteProposals(tx, author, proposals, last, at);
    return { ...noted, inForce: this.inForce(policy, last) };
  }

  /** The policy that a transaction judges under. */
  async policyInForce(tx: Tx): Promise<InForce> {
    const last = this.read;
    return this.inForce(await this.store.policy(tx, last), last);
  }

  /** Reads the policy and checks its digests once each time its row was written, not for every batch. */
  private inForce({ written, data, stored }: PolicyRow, last: Read): InForce {
    if (written === last.written) return { policy: last.governing, stored };
    const found = governing(data);
    if (!found.ok) this.log.error(`not governing, everything is refused: ${found.detail}`);
    const policy = found.ok ? found.policy : null;
    this.read = { written, digest: data?.digest ?? null, governing: policy };
    return { policy, stored: false };
  }

  /** Judges in order; each case sees the reservations of the cases before it. Returns the results. */
  async decideVerdicts(
    work: Work,
    cases: readonly Case[],
    { policy, stored }: InForce,
  ): Promise<readonly VerdictResult[]> {
    if (cases.length === 0) return [];
    this.mustKnow();
    const prepared = prepare(
      cases.map((c) => c.request),
      policy,
      work.at,
    );
    const needed = neededBy(prepared, work.at);
    this.store.lockLedgers(
      work.tx,
      [...needed.ledgers, ...needed.rates].map((l) => l.ledger),
    );
    const loaded = await readFacts(work.tx, needed);
    const results = decideVerdicts(prepared, loaded, work.at);

    const verdicts: NewVerdict[] = [];
    const permits: NewPermit[] = [];
    const opened: Parameters<Store['openEscalations']>[1][number][] = [];
    for (const [n, { request, cause }] of cases.entries()) {
      const result = results[n] as VerdictResult;
      const { proposal, author } = request;
      const { judgement, facts } = result;
      const { verdict, digest, shadowOutcome } = judgement;
      verdicts.push({ proposal, digest, verdict, facts, shadowOutcome });
      const key = actionKey(proposal.action);
      const subject = proposal.proposalId;
      switch (verdict.outcome) {
        case 'approved': {
          const data = approvedEvent(request, result, seal(judgement, this.key));
          permits.push(permitOf(data, result, work.at));
          work.emit(cause, topics.actionsApproved, { key, data, subject });
          break;
        }
        case 'escalated': {
          if (request.review)
            throw new Error(`${proposal.proposalId}: an answer that was judged leaves nothing to ask`);
          const data = escalatedEvent(request, result, loaded);
          const { deadline: deadlineAt, reviewers } = data;
          opened.push({
            proposalId: proposal.proposalId,
            digest,
            deadlineAt,
            author,
            proposal,
            verdict,
            reviewers,
            correlationId: cause.correlationid ?? null,
            step: result.prepared.step,
          });
          work.emit(cause, topics.actionsEscalated, { key, type: 'ActionEscalated', data, subject });
          work.schedule(cause, { kind: DEADLINE, id: proposal.proposalId, dueAt: deadlineAt, payload: {} });
          break;
        }
        case 'refused': {
          const data = refusedEvent(request, digest, verdict, shadowOutcome === undefined ? {} : { shadowOutcome });
          work.emit(cause, topics.actionsRefused, { key, data, subject });
        }
      }
      if (author !== proposal.agent) {
        this.log.error(`${author} proposed ${proposal.proposalId} in the name of ${proposal.agent}`);
      }
    }
    if (policy && !stored) this.store.storePolicy(work.tx, policy, work.at);
    this.store.saveVerdicts(work.tx, verdicts, permits, work.at);
    this.store.openEscalations(work.tx, opened, work.at);
    return results;
  }

  /** The verdict that each case alone would have at this moment. Locks, reserves and writes nothing. */
  async weigh(
    { tx, at }: Work,
    requests: readonly VerdictRequest[],
    { policy }: InForce,
  ): Promise<readonly VerdictResult[]> {
    if (requests.length === 0) return [];
    this.mustKnow();
    const prepared = prepare(requests, policy, at);
    const loaded = await readFacts(tx, neededBy(prepared, at));
    return prepared.flatMap((alone) => decideVerdicts([alone], loaded, at));
  }

  /** Adopts verdicts that were published before a restore, instead of judging the proposals: their permits exist already. */
  adopt(
    work: Work,
    cases: readonly (Case & { readonly digest: string; readonly published: readonly PublishedVerdict[] })[],
  ): void {
    if (cases.length === 0) return;
    const verdicts: NewVerdict[] = [];
    const opened: Parameters<Store['openEscalations']>[1][number][] = [];
    const closed: Parameters<Store['closeEscalations']>[1][number][] = [];
    for (const { request, cause, digest, published } of cases) {
      const { proposal, author } = request;
      const { proposalId } = proposal;
      for (const { type, data } of published) {
        const action = data.action ?? proposal.action;
        const shadowOutcome = type === 'ActionRefused' ? data.shadowOutcome : undefined;
        verdicts.push({
          proposal: { ...proposal, action },
          digest: data.digest,
          verdict: data.verdict,
          facts: null,
          shadowOutcome,
        });
        if (type !== 'ActionEscalated') continue;
        const { deadline: deadlineAt, reviewers, verdict } = data;
        const correlationId = cause.correlationid ?? null;
        const step = stepOf(proposal);
        opened.push({ proposalId, digest, deadlineAt, author, proposal, verdict, reviewers, correlationId, step });
        work.schedule(cause, { kind: DEADLINE, id: proposalId, dueAt: deadlineAt, payload: {} });
      }
      const end = publishedEnd(published);
      if (end) closed.push({ proposalId, ...end });
    }
    this.store.saveVerdicts(work.tx, verdicts, [], work.at);
    this.store.openEscalations(work.tx, opened, work.at);
    this.store.closeEscalations(work.tx, closed, work.at);
  }

  /** If controls or consents were not compared with their topics lately, throws an error that may pass. */
  private mustKnow(): void {
    const compared = this.runtime.comparedAgo();
    for (const topic of ['controls.v1', 'consents.v1', 'policies.v1']) {
      const ageMs = compared[topic]?.() ?? null;
      if (isStale(ageMs)) {
        const last = ageMs === null ? 'since the start' : `for ${Math.round(ageMs / 1000)} s`;
        throw new StateStale(`${topic} not compared with its end ${last}; nothing is judged`);
      }
    }
  }
}

function permitOf(
  data: ReturnType<typeof approvedEvent>,
  { prepared: { examined } }: VerdictResult,
  at: string,
): NewPermit {
  const { draws } = examined.concerns;
  return {
    ...namedIn(data),
    step: markOf(examined.proposal, examined.read),
    approvedAt: at,
    rates: draws.flatMap((draw) => ('rateMs' in draw ? [{ ledger: draw.ledger, amount: draw.amount }] : [])),
    reservations: draws
      .filter((draw) => !('rateMs' in draw))
      .map((draw) => ({
        ledger: draw.ledger,
        amount: draw.amount,
        currency: 'currency' in draw ? draw.currency : null,
        countsAt: 'countsAt' in draw ? draw.countsAt : at,
      })),
  };
}
