import { type Fault, outputId, topics } from '@countersign/contracts';
import { type ApprovedAction, comparedAgain, comparedBy, open, recheck } from '@countersign/gate';
import {
  ago,
  attributes,
  isTransient,
  type Job,
  type JobContext,
  type JobKind,
  observe,
  RUNTIME,
  type Runtime,
  startCall,
  type Work,
} from '@countersign/runtime';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { NotSent, NotWritten, type Unknown, unknown } from '../core/answer.js';
import { publishedAnswer } from '../core/past.js';
import {
  type Effect,
  type End,
  type Ended,
  type Event,
  gateAnswer,
  type Pause,
  type Permit,
  type Rejected,
  type Step,
  standing,
  step,
  type Tried,
} from '../core/permit-machine.js';
import { rejectionOf, settledKey, settlementOf } from '../core/settlement.js';
import { PERMIT, type PermitJob } from './approvals.consumer.js';
import { Breaker } from './breaker.js';
import { ComparedState, type Known } from './compared-state.service.js';
import { CONNECTORS, type Connector, type Connectors } from './connector.js';
import { Permits, type Taking } from './permits.repository.js';
import { SETTINGS, type Settings } from './settings.js';
import { Unanswered } from './unanswered.js';

type PJob = Job<PermitJob>;

/** A permit in work: its state before, its state now, and what is to be done. */
interface Working extends Step {
  readonly job: PJob;
  readonly from: Permit;
  /** Present if the gate opens the permit. */
  readonly action?: ApprovedAction | undefined;
  /** Its connector does not answer, and is not asked in this turn. */
  readonly unasked?: boolean;
}

/**
 * Works permits. One transaction opens and spends a whole claim of permits, the calls run in parallel, and one transaction ends the
 * permits that have an end. No transaction waits for a connected system.
 */
@Injectable()
export class PermitJobs implements JobKind<PermitJob>, OnApplicationShutdown {
  readonly kind = PERMIT;
  /** Time for a question and a call, ten seconds at most each, and for writing down their results. */
  readonly leaseMs = 30_000;
  readonly plannedOnce = true;
  readonly batch = 64;
  readonly parallel = 4;
  private readonly log = new Logger(PermitJobs.name);
  private readonly unanswered = new Unanswered((message) => this.log.warn(message));
  private readonly breakers = new Map<string, Breaker>();
  private readonly stopObserving: () => void;

  constructor(
    @Inject(RUNTIME) private readonly runtime: Pick<Runtime, 'service' | 'addHealth' | 'hadRead'>,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'permitKeys' | 'patience'>,
    @Inject(CONNECTORS) private readonly connectors: Connectors,
    @Inject(ComparedState) private readonly state: ComparedState,
    @Inject(Permits) private readonly permits: Permits,
  ) {
    for (const connector of connectors.values())
      this.breakers.set(connector.name, new Breaker(connector, (message) => this.log.warn(message)));
    runtime.addHealth('connectors', () => this.troubled(), 'others');
    this.stopObserving = observe(['countersign.connector.paused'], (report) => {
      for (const [name, { paused }] of this.breakers)
        report('countersign.connector.paused', paused ? 1 : 0, { [attributes.connector]: name });
    });
  }

  onApplicationShutdown(): void {
    this.stopObserving();
  }

  /** Connected systems that give no definite answer or are paused, and since when. */
  private troubled(): Readonly<Record<string, string>> {
    const troubles = { ...this.unanswered.now() };
    for (const [name, breaker] of this.breakers) {
      const paused = breaker.detail();
      if (paused !== undefined) troubles[name] = troubles[name] === undefined ? paused : `${troubles[name]}; ${paused}`;
    }
    return troubles;
  }

  async work(jobs: readonly PJob[], context: JobContext): Promise<void> {
    const claimed = await this.opened(jobs, context);
    const inTurn = claimed.filter(({ effect }) => effect.do === 'look' || effect.do === 'ask');
    const aside = claimed.filter((working) => !inTurn.includes(working));
    const groups = Map.groupBy(inTurn, ({ job }) => job.payload.approval.connector);
    // A slow connector holds up only its own actions.
    const done = await Promise.allSettled([
      this.conclude(aside, context),
      ...[...groups].map(([name, group]) => this.run(this.connectors.get(name), group, context)),
    ]);
    const failed = done.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** In one transaction, opens new permits and counts a turn on the others. If it loses a race, it runs again. */
  private async opened(jobs: readonly PJob[], context: JobContext): Promise<readonly Working[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await context.transaction((work) => this.open(jobs, work));
      } catch (error) {
        if (attempt === 3 || !isTransient(error)) throw error;
      }
    }
  }

  private async open(jobs: readonly PJob[], work: Work): Promise<readonly Working[]> {
    const { tx, at } = work;
    const settled = await work.published('id', jobs.map(settlementId));
    const compared = new Map(jobs.map((job) => [job.id, comparedBy(job.payload.approval)]));
    // For a permit that was never claimed before, the attempt to take it is the lookup: a row that exists already is seen at the next
    // claim.
    const named = jobs.flatMap((job) => (job.claims > 1 ? (compared.get(job.id)?.permitId ?? []) : []));
    const known = await this.state.in(tx, [...compared.values()], 'share');
    const rows = await this.permits.find(tx, named);
    const claimed = jobs.map((job) => {
      const permit = standing(rows.get(compared.get(job.id)?.permitId ?? ''), job.id);
      const before = publishedAnswer(settled.get(settlementId(job)));
      return before ? this.next({ job, permit }, { on: 'restored', as: before }) : this.claim(job, permit, at, known);
    });
    return this.written(claimed, work);
  }

  /** Decides what a claim does with one permit. It looks at the permit's connector only if the connector would be called or asked. */
  private claim(job: PJob, permit: Permit, at: string, known: Known): Working {
    const opening = this.openOne(job, at, known, permit.state === 'used');
    const gate = gateAnswer(opening);
    const action = opening.ok ? opening.action : undefined;
    const working = this.next({ job, permit, action }, { on: 'claimed', gate, readBefore: this.mayHaveRun(job) });
    if (!('ifFree' in working.effect) || !working.effect.ifFree) return working;
    const breaker = this.breakers.get(job.payload.approval.connector);
    const inMs = breaker?.waitMs() ?? 0;
    if (!breaker || inMs === 0) return working;
    return this.next({ job, permit }, { on: 'held-up', gate, inMs, paused: breaker.paused });
  }

  /** Writes the results of a claim, one statement per kind: takes rows, counts turns, ends intents that were not called. */
  private async written(claimed: readonly Working[], { tx, at }: Work): Promise<readonly Working[]> {
    const taking = claimed.filter(({ effect }) => effect.do === 'take');
    const ending = claimed.filter(({ effect }) => effect.do === 'settle' && effect.where === 'free');
    const taken = await this.permits.take(
      tx,
      [...taking.map(({ job }) => takingOf(job, null)), ...ending.map(({ job, to }) => takingOf(job, endOf(to)))],
      at,
    );
    const turning = claimed.filter(({ effect }) => effect.do === 'turn');
    // Counts the lost turn; the turn that is taken now comes after it. A row that is taken for a lost turn has counted it already.
    const lost = turning.filter(({ effect }) => effect.do === 'turn' && effect.lost);
    await this.permits.nextTurn(tx, lost.map(permitOf), at);
    const asked = taking.filter(({ job, to }) => to.state === 'doubtful' && taken.has(job.id));
    const turns = await this.permits.nextTurn(tx, [...asked, ...turning].map(permitOf), at);
    const ended = await this.permits.endAlone(tx, endsAlone(claimed), at);
    const first: Tried = { turn: 1, sent: 0 };
    return claimed.map((working) => {
      const { job, from, to, effect } = working;
      // An instance that finds the row taken looks again, and then sees a replay.
      const overtaken = () => this.next({ ...working, permit: from }, { on: 'overtaken', at });
      const turn = (tried: Tried | undefined) =>
        tried ? this.next({ ...working, permit: to }, { on: 'turn', tried }) : overtaken();
      switch (effect.do) {
        case 'take':
          if (!taken.has(job.id)) return overtaken();
          return turn(to.state === 'held' ? first : turns.get(permitOf(working)));
        case 'turn':
          return turn(turns.get(permitOf(working)));
        case 'settle':
          if (effect.where === 'free') return taken.has(job.id) ? working : overtaken();
          if (effect.where === 'alone') return ended.has(permitOf(working)) ? working : overtaken();
          return working;
        default:
          return working;
      }
    });
  }

  /** The machine's next step with a permit. An event that the machine does not expect is a fault of this file. */
  private next(
    current: { readonly job: PJob; readonly permit: Permit } & Pick<Working, 'action'> & { readonly effect?: Effect },
    event: Event,
  ): Working {
    const { job, permit, action, effect: before } = current;
    const { to, effect } = step(permit, event, this.settings.patience);
    if (effect.do === 'nothing') throw new Error(`a permit that is ${permit.state} knows no ${event.on}`);
    const unasked = before?.do === 'turn' && before.unasked === true;
    return { job, from: permit, to, effect, action, unasked };
  }

  /**
   * Whether the approval was read before a restore. Its action may have been called and its row lost. This counts as a call that may have
   * been sent, so that the connected system is asked first.
   */
  private mayHaveRun({ payload }: PJob): boolean {
    return this.runtime.hadRead(payload);
  }

  private openOne({ payload: { approval } }: PJob, at: string, known: Known, spent: boolean) {
    const audience = `${this.runtime.service}/${approval.connector}`;
    return open(approval, { keys: this.settings.permitKeys, audience, at, state: known(), spent });
  }

  /** Works the permits of one connector. If this takes long, the claim no longer counts as one of those that work. */
  private async run(connector: Connector | undefined, group: readonly Working[], context: JobContext): Promise<void> {
    const end = this.breakers.get(connector?.name ?? '')?.begin(() => context.aside());
    try {
      const done = connector
        ? await this.runAll(connector, group, context)
        : group.map((working) => this.nobody(working));
      await this.conclude(await this.stillOurs(done, context), context);
    } finally {
      end?.();
    }
  }

  private async runAll(
    connector: Connector,
    group: readonly Working[],
    context: JobContext,
  ): Promise<readonly Working[]> {
    const calls = group.filter(({ effect }) => effect.do === 'look');
    const asks = group.filter(({ effect }) => effect.do === 'ask');
    const done = await Promise.all([
      this.firstCalls(connector, calls, context),
      Promise.all(asks.map((working) => this.ask(connector, working, context))),
    ]);
    return done.flat();
  }

  /**
   * Calls a few permits at a time, and checks the state before each group. A stop therefore reaches every call that has not begun, and
   * never one that a system has in its queue. If the system is slow, the rest is put off, so that the lease outlasts the calls that have
   * begun.
   */
  private async firstCalls(
    connector: Connector,
    calls: readonly Working[],
    context: JobContext,
  ): Promise<readonly Working[]> {
    const done: Working[] = [];
    const began = ago();
    for (let from = 0; from < calls.length; from += callsAtOnce) {
      const batch = calls.slice(from, from + callsAtOnce);
      const until = context.now();
      const slow = began() > this.leaseMs / 3;
      done.push(
        ...(slow
          ? batch.map((working) => this.after(working, { on: 'put-off', until }))
          : await this.callTogether(connector, batch, context)),
      );
    }
    return done;
  }

  /** The check and the calls are one turn of the event loop: nothing is awaited between the comparison and the start of every call. */
  private async callTogether(
    connector: Connector,
    calls: readonly Working[],
    context: JobContext,
  ): Promise<readonly Working[]> {
    const known = await this.state.now(calls.map((working) => comparedAgain(actionOf(working))));
    const at = context.now();
    const started = calls.map((working) => {
      const gate = gateAnswer(recheck(actionOf(working), { at, state: known() }));
      const looked = this.after(working, { on: 'looked', gate });
      return looked.effect.do === 'call' ? this.call(connector, looked) : looked;
    });
    return Promise.all(started);
  }

  /**
   * Ends the intents whose end holds only while no other instance has set out for them. If another instance has, it continues with the
   * intent, and the result from here is dropped.
   */
  private async stillOurs(done: readonly Working[], context: JobContext): Promise<readonly Working[]> {
    const ends = endsAlone(done);
    if (ends.size === 0) return done;
    const ended = await context.transaction(({ tx, at }) => this.permits.endAlone(tx, ends, at));
    return done.filter((working) => !ends.has(permitOf(working)) || ended.has(permitOf(working)));
  }

  private async ask(connector: Connector, working: Working, context: JobContext): Promise<Working> {
    const { job } = working;
    const { approval } = job.payload;
    if (working.unasked) {
      const found = unknown(`connector ${connector.name} is paused, it answers nothing`);
      return this.after(working, { on: 'found', found, gate: { kind: 'opens' } });
    }
    const found = await this.answered(connector, 'find', job, (signal) => connector.find(approval.actionId, signal));
    const known = await this.state.now([comparedBy(approval)]);
    const opening = this.openOne(job, context.now(), known, false);
    const asked = this.after(working, { on: 'found', found, gate: gateAnswer(opening) });
    return asked.effect.do === 'call' && opening.ok
      ? this.call(connector, { ...asked, action: opening.action })
      : asked;
  }

  private async call(connector: Connector, working: Working): Promise<Working> {
    const action = actionOf(working);
    const answer = await this.answered(connector, 'call', working.job, (signal) =>
      connector.call(action, action.action.actionId, signal),
    );
    return this.after(working, { on: 'answered', answer });
  }

  /** A permit whose connector is no longer configured: if it was not called, it is refused; otherwise its result cannot be known. */
  private nobody(working: Working): Working {
    return working.effect.do === 'look'
      ? this.after(working, { on: 'looked', gate: { kind: 'ends', outcome: 'refused', reason: noConnector } })
      : this.after(working, { on: 'found', found: unknown(noConnector.detail), gate: { kind: 'opens' } });
  }

  /** The state of a permit in work after an event. */
  private after(working: Working, event: Event): Working {
    return this.next({ ...working, permit: working.to }, event);
  }

  /** Asks a connected system with its time limit. An error or silence counts as no answer, whatever the cause. */
  private async answered<A extends { readonly outcome: string }>(
    connector: Connector,
    operation: 'call' | 'find',
    job: PJob,
    ask: (signal: AbortSignal) => Promise<A>,
  ): Promise<A | Unknown> {
    const end = this.unanswered.asked(connector);
    const answer = await answered(connector, operation, job, ask);
    const without = answer.outcome === 'unknown' ? (answer as Unknown) : undefined;
    end(without?.detail);
    if (without?.unasked !== true) this.breakers.get(connector.name)?.heard(without?.silent !== true);
    return answer;
  }

  /** In one transaction, puts off the permits that wait and ends the others. */
  private async conclude(done: readonly Working[], context: JobContext): Promise<void> {
    const answers = new Map<string, Ended | Rejected>();
    const unused = new Map<string, number>();
    const unsent: string[] = [];
    for (const working of done) {
      const { job, from, to, effect } = working;
      if ('end' in to || to.state === 'rejected') answers.set(job.id, to);
      else if (effect.do !== 'wait') throw new Error(`a permit that is ${to.state} is left behind`);
      else if (effect.turn === 'back') unused.set(permitOf(working), turnOf(from));
      else if (effect.turn === 'unsent') unsent.push(permitOf(working));
    }
    // Written before the claims are given up: the next instance that takes a claim counts from there.
    if (unused.size + unsent.length > 0)
      await context.transaction(async ({ tx }) => {
        if (unused.size > 0) this.permits.giveBack(tx, unused);
        if (unsent.length > 0) this.permits.noteUnsent(tx, unsent);
      });
    await Promise.all(
      done.map(({ job, effect }) =>
        effect.do === 'wait' ? context.later(job, dueAt(effect.pause, context.now())) : undefined,
      ),
    );
    const jobs = done.flatMap(({ job, effect }) => (effect.do === 'wait' ? [] : [job]));
    await context.finish(jobs, (owned, work) => this.settle(owned, answers, work));
  }

  /** Ends a permit whose job failed for good, according to what is known of the permit. */
  async giveUp(job: PJob, work: Work, fault: Fault): Promise<boolean> {
    const compared = comparedBy(job.payload.approval);
    const known = await this.state.in(work.tx, [compared], 'share');
    const rows = await this.permits.find(work.tx, compared.permitId === undefined ? [] : [compared.permitId]);
    const permit = standing(rows.get(compared.permitId ?? ''), job.id);
    const gate = gateAnswer(this.openOne(job, work.at, known, permit.state === 'used'));
    const { to, effect } = this.next(
      { job, permit },
      {
        on: 'given-up',
        gate,
        readBefore: this.mayHaveRun(job),
        fault,
      },
    );
    if (effect.do === 'settle' && effect.where === 'free') {
      // A row that ends unresolved says that a call may have been sent: it is taken as an intent, and then ended.
      const taken = await this.permits.take(
        work.tx,
        [takingOf(job, to.state === 'unresolved' ? null : endOf(to))],
        work.at,
      );
      // Another approval of the same permit took it at this moment. A replay of the dead letter will see that.
      if (!taken.has(job.id)) return false;
    }
    if ('end' in to && effect.do === 'settle' && effect.where === 'alone') {
      const alone = new Map([[permitIdOf(job), { end: to.end, turn: turnOf(permit) }]]);
      // An instance whose claim was over set out for it at this moment, and may call. A replay of the dead letter will ask.
      if ((await this.permits.endAlone(work.tx, alone, work.at)).size === 0) return false;
    }
    if ('end' in to || to.state === 'rejected') await this.settle([job], new Map([[job.id, to]]), work);
    return true;
  }

  private async settle(
    owned: readonly PJob[],
    answers: ReadonlyMap<string, Ended | Rejected>,
    work: Work,
  ): Promise<void> {
    const { tx, at } = work;
    const ends = new Map<string, End>();
    for (const job of owned) {
      const answer = answers.get(job.id);
      if (answer && 'end' in answer) ends.set(permitIdOf(job), answer.end);
    }
    const stand = await this.permits.end(tx, ends, at);
    const settled = topics.actionsSettled(this.runtime.service);
    for (const job of owned) {
      const { approval } = job.payload;
      const key = settledKey(approval);
      const answer = answers.get(job.id);
      if (answer?.state === 'rejected') {
        work.emit(job.cause, settled, {
          key,
          type: 'PermitRejected',
          data: rejectionOf(approval, job.payload, answer.reason, at),
        });
        continue;
      }
      const end = stand.get(permitIdOf(job));
      if (!end) throw new Error(`permit ${permitIdOf(job)} has no row to end`);
      if (end.outcome === 'unresolved')
        this.log.warn(
          `permit ${permitIdOf(job)} is unresolved: ${end.reason?.code}; ask the connected system, then \`countersign settle\``,
        );
      work.emit(job.cause, settled, { key, type: 'ActionSettled', data: settlementOf(approval, end, at) });
    }
  }
}

/** How many calls of one claim are under way at once. */
const callsAtOnce = 16;

const noConnector: Fault = { code: 'no-connector', detail: 'this executor has no such connector configured' };

/** Only for an approval that `open()` found to agree with its permit. */
const permitIdOf = (job: PJob): string => job.payload.approval.permitId;

const permitOf = ({ job }: Pick<Working, 'job'>): string => permitIdOf(job);

/** The id of the event that ends a permit's job. */
const settlementId = ({ cause }: PJob): string => outputId('action-executor', cause, 0);

/** Only for a permit that the gate opened: no other permit is called. */
function actionOf({ action, to }: Working): ApprovedAction {
  if (!action) throw new Error(`a permit that is ${to.state} was not opened`);
  return action;
}

const endOf = (permit: Permit): End | null => ('end' in permit ? permit.end : null);

/** The last turn that the row counted, as this claim knows it. */
function turnOf(permit: Permit): number {
  if ('tried' in permit) return permit.tried.turn;
  if (permit.state === 'held') return permit.turns;
  throw new Error(`a permit that is ${permit.state} is in no turn`);
}

/** The ends that hold only while no other instance has set out, each with the turn in which it was reached. */
function endsAlone(group: readonly Working[]): ReadonlyMap<string, { readonly end: End; readonly turn: number }> {
  const ends = new Map<string, { end: End; turn: number }>();
  for (const working of group) {
    const { from, to, effect } = working;
    if ('end' in to && effect.do === 'settle' && effect.where === 'alone')
      ends.set(permitOf(working), { end: to.end, turn: turnOf(from) });
  }
  return ends;
}

const takingOf = (job: PJob, end: End | null): Taking => {
  const { permitId, actionId, proposalId, connector } = job.payload.approval;
  return { permitId, jobId: job.id, actionId, proposalId, connector, end };
};

const dueAt = (pause: Pause, now: string): string =>
  'until' in pause ? pause.until : new Date(Date.parse(now) + pause.inMs).toISOString();

/** Asks a connected system with its time limit. An error or silence counts as no answer, whatever the cause. */
async function answered<A extends { readonly outcome: string }>(
  connector: Connector,
  operation: 'call' | 'find',
  { payload: { approval }, cause }: PJob,
  ask: (signal: AbortSignal) => Promise<A>,
): Promise<A | Unknown> {
  const { actionId, action } = approval;
  const { traceparent } = cause;
  const span = startCall({ connector: connector.name, operation, actionId, actionKind: action.kind, traceparent });
  const signal = AbortSignal.timeout(connector.timeoutMs);
  try {
    const answer = await Promise.race([ask(signal), silence(signal)]);
    span.end(answer.outcome);
    return answer;
  } catch (error) {
    if (error instanceof NotWritten) {
      span.end('unwritten', true);
      return { ...unknown(error.message), unsent: true, unasked: true };
    }
    span.end(signal.aborted ? 'silent' : 'unreachable', true);
    if (error instanceof NotSent) return { ...unknown(error.message), unsent: true, silent: true };
    if (signal.aborted) return { ...unknown(`no answer within ${connector.timeoutMs} ms`), silent: true };
    const { code, name } = error as { code?: unknown; name?: unknown };
    // The message of an error may quote the data that was sent.
    const reason = typeof code === 'string' ? code : String(name);
    return { ...unknown(`${connector.name} could not be reached (${reason})`), silent: true };
  }
}

/** Rejects one turn of the event loop after the time is up: a connector that has not sent anything yet reports that first. */
const silence = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => setImmediate(() => reject(signal.reason)), { once: true }),
  );
