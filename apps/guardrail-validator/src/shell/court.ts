import {
  type AccountProfile,
  type AdAccountProfile,
  actionKey,
  type Consents,
  type ContactProfile,
  type Control,
  type Policy,
} from '@countersign/contracts';
import { governing, type PolicyInForce, type SigningKey, STATE_MAX_AGE_SECONDS, seal } from '@countersign/gate';
import { type Cause, RUNTIME, type Runtime, type StateRow, type Tx, type Work } from '@countersign/runtime';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { approvedEvent, escalatedEvent, refusedEvent } from '../core/events.js';
import { type Hearing, hear, type Loaded, neededBy, type Ruling } from '../core/hearing.js';
import { SIGNING_KEY } from './settings.js';
import { type NewPermit, type NewVerdict, Store } from './store.js';

/** A hearing with the event or act that asks for it. */
export interface Case {
  readonly hearing: Hearing;
  readonly cause: Cause;
}

/** The clock's answer to a service that does not know the controls: nothing is judged until it does. Transient by its code. */
class StateStale extends Error {
  readonly code = 'ETIMEDOUT';
}

export const DEADLINE = 'review-deadline';
export const OVERDUE = 'permit-overdue';
/** An executor settles expiry; it is asked after only when it is this late. */
const overdueAfterMs = 60_000;

/** Judges cases under locks, stores what was decided, and says so. The only place that seals a permit. */
@Injectable()
export class Court {
  private readonly log = new Logger('court');
  private policy: { readonly read: string; readonly governing: PolicyInForce | null } = { read: '', governing: null };

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(SIGNING_KEY) private readonly key: SigningKey,
  ) {}

  /** The policy in force; null where none was published or its digests are not of its content. */
  async policyInForce(tx: Tx): Promise<PolicyInForce | null> {
    const row = (await this.runtime.state<'PolicyPublished'>(tx, 'policies.v1', ['main'])).get('main');
    // Its digests are checked once, not with every batch.
    const read = `${row?.version ?? 0} ${(row?.data as Policy | null | undefined)?.digest ?? ''}`;
    if (read !== this.policy.read) {
      const found = governing((row?.data as Policy | null | undefined) ?? null);
      if (!found.ok) this.log.error(`not governing, everything is refused: ${found.says}`);
      this.policy = { read, governing: found.ok ? found.policy : null };
    }
    return this.policy.governing;
  }

  /** Judges in order, each under what those before it reserved; returns the rulings. */
  async hear(work: Work, cases: readonly Case[]): Promise<readonly Ruling[]> {
    if (cases.length === 0) return [];
    this.mustKnow(work.at);
    const policy = await this.policyInForce(work.tx);
    const hearings = cases.map((c) => c.hearing);
    const loaded = await this.load(work, hearings, policy);
    const rulings = hear(hearings, loaded, work.at);

    const verdicts: NewVerdict[] = [];
    const permits: NewPermit[] = [];
    const opened: Parameters<Store['openEscalations']>[1][number][] = [];
    for (const [n, { hearing, cause }] of cases.entries()) {
      const ruling = rulings[n] as Ruling;
      const { proposal, author } = hearing;
      const { judgement, facts } = ruling;
      const { verdict, digest, wouldBe } = judgement;
      verdicts.push({ proposal, digest, verdict, facts, wouldBe });
      const key = actionKey(proposal.action);
      const subject = proposal.proposalId;
      switch (verdict.outcome) {
        case 'approved': {
          const data = approvedEvent(hearing, ruling, seal(judgement, this.key));
          permits.push(permitOf(data, ruling, work.at));
          work.emit(cause, { topic: 'actions.approved.v1', key, type: 'ActionApproved', data, subject });
          const dueAt = new Date(Date.parse(data.expiresAt) + overdueAfterMs).toISOString();
          work.schedule(cause, { kind: OVERDUE, id: data.permitId, dueAt, payload: {} });
          break;
        }
        case 'escalated': {
          if (hearing.review) throw new Error(`${proposal.proposalId}: an answer that was heard leaves nothing to ask`);
          const data = escalatedEvent(hearing, ruling, loaded);
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
          });
          work.emit(cause, { topic: 'actions.escalated.v1', key, type: 'ActionEscalated', data, subject });
          work.schedule(cause, { kind: DEADLINE, id: proposal.proposalId, dueAt: deadlineAt, payload: {} });
          break;
        }
        case 'refused': {
          const data = refusedEvent(hearing, digest, verdict, wouldBe === undefined ? {} : { wouldBe });
          work.emit(cause, { topic: 'actions.refused.v1', key, type: 'ActionRefused', data, subject });
        }
      }
      if (author !== proposal.agent) {
        this.log.error(`${author} proposed ${proposal.proposalId} in the name of ${proposal.agent}`);
      }
    }
    if (policy) await this.store.keepPolicy(work.tx, policy, work.at);
    await this.store.saveVerdicts(work.tx, verdicts, work.at);
    await this.store.savePermits(work.tx, permits, work.at);
    await this.store.openEscalations(work.tx, opened, work.at);
    return rulings;
  }

  /** Throws, as something that may pass, where controls or consents were not compared with their topics lately. */
  private mustKnow(at: string): void {
    const compared = this.runtime.comparedAt();
    for (const topic of ['controls.v1', 'consents.v1', 'policies.v1']) {
      const when = compared[topic];
      if (!when || Date.parse(at) - Date.parse(when) > STATE_MAX_AGE_SECONDS * 1000) {
        throw new StateStale(`${topic} not compared with its end since ${when ?? 'the start'}; nothing is judged`);
      }
    }
  }

  private async load(work: Work, hearings: readonly Hearing[], policy: PolicyInForce | null): Promise<Loaded> {
    const { tx, at } = work;
    const needed = neededBy(hearings, policy, at);
    const ledgers = await this.store.lockLedgers(tx, needed.ledgers);
    const profiles = await this.runtime.state<'ProfileChanged'>(tx, 'profiles.v1', needed.profiles);
    const consents = await this.runtime.state<'ConsentsChanged'>(tx, 'consents.v1', needed.consents);
    const controls = await this.runtime.state<'ControlChanged'>(tx, 'controls.v1', needed.controls);
    return {
      policy,
      profiles: profiles as ReadonlyMap<
        string,
        StateRow & { data: AccountProfile | ContactProfile | AdAccountProfile | null }
      >,
      consents: consents as ReadonlyMap<string, StateRow & { data: Consents | null }>,
      controls: controls as ReadonlyMap<string, StateRow & { data: Control | null }>,
      ledgers,
      touched: await this.store.touched(tx, needed.contacts),
    };
  }
}

function permitOf(data: ReturnType<typeof approvedEvent>, { draws }: Ruling, at: string): NewPermit {
  return {
    permitId: data.permitId,
    proposalId: data.proposalId,
    actionId: data.actionId,
    digest: data.digest,
    executor: data.executor,
    connector: data.connector,
    permit: data.permit,
    expiresAt: data.expiresAt,
    reservations: draws.map((draw) => ({
      ledger: draw.ledger,
      amount: draw.amount,
      currency: 'currency' in draw ? draw.currency : null,
      countsAt: 'countsAt' in draw ? draw.countsAt : at,
    })),
  };
}
