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
  type Said,
  startCall,
  type Work,
} from '@countersign/runtime';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { NotSent, NotWritten, type Unknown, unknown } from '../core/answer.js';
import {
  beforeFirstCall,
  type End,
  onAnswer,
  onFound,
  onGivenUp,
  onOpening,
  onReopening,
  type Step,
  standing,
  type Tried,
} from '../core/decide.js';
import { endOf } from '../core/past.js';
import { rejectionOf, settledKey, settlementOf } from '../core/settlement.js';
import { PERMIT, type PermitJob } from './approvals.consumer.js';
import { Breaker } from './breaker.js';
import { ComparedState, type Known } from './compared-state.service.js';
import { CONNECTORS, type Connector, type Connectors } from './connector.js';
import { Permits, type Taking } from './permits.repository.js';
import { SETTINGS, type Settings } from './settings.js';
import { Unanswered } from './unanswered.js';

type PJob = Job<PermitJob>;
type Ended = Extract<Step, { step: 'end' | 'reject' }>;
type Later = Extract<Step, { step: 'later' }>;

/** What the opening transaction left to do for one approval. */
type Opening =
  | { readonly next: 'settle'; readonly job: PJob; readonly step: Ended }
  | { readonly next: 'later'; readonly job: PJob; readonly step: Later }
  /** An intent that nobody has called. */
  | { readonly next: 'call'; readonly job: PJob; readonly action: ApprovedAction; readonly tried: Tried }
  /** An intent of an earlier claim: it may have been called. */
  | { readonly next: 'ask'; readonly job: PJob; readonly tried: Tried; readonly paused?: true };

/** What a call or a question came to. */
interface Outcome {
  readonly job: PJob;
  readonly step: Ended | Later;
  readonly tried: Tried;
  /** It is certain that no call left in this turn. */
  readonly unsent: boolean;
}

/**
 * Works permits: one transaction opens and spends a whole claim of them, the calls run side by side, one transaction ends what
 * has an end. Nothing waits for a connected system inside a transaction.
 */
@Injectable()
export class PermitJobs implements JobKind<PermitJob>, OnApplicationShutdown {
  readonly kind = PERMIT;
  /** A question and a call, ten seconds at most each, and room to write down what came of them. */
  readonly leaseMs = 30_000;
  readonly batch = 64;
  readonly parallel = 4;
  private readonly log = new Logger(PermitJobs.name);
  private readonly unanswered = new Unanswered((message) => this.log.warn(message));
  private readonly breakers = new Map<string, Breaker>();
  private readonly stopObserving: () => void;

  constructor(
    @Inject(RUNTIME) private readonly runtime: Pick<Runtime, 'service' | 'healthTells' | 'hadRead'>,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'permitKeys' | 'patience'>,
    @Inject(CONNECTORS) private readonly connectors: Connectors,
    @Inject(ComparedState) private readonly state: ComparedState,
    @Inject(Permits) private readonly permits: Permits,
  ) {
    for (const connector of connectors.values())
      this.breakers.set(connector.name, new Breaker(connector, (message) => this.log.warn(message)));
    runtime.healthTells('connectors', () => this.troubled(), 'others');
    this.stopObserving = observe(['countersign.connector.paused'], (tell) => {
      for (const [name, { paused }] of this.breakers)
        tell('countersign.connector.paused', paused ? 1 : 0, { [attributes.connector]: name });
    });
  }

  onApplicationShutdown(): void {
    this.stopObserving();
  }

  /** Connected systems that give no definite answer, or are paused, and since when. */
  private troubled(): Readonly<Record<string, string>> {
    const said = { ...this.unanswered.now() };
    for (const [name, breaker] of this.breakers) {
      const paused = breaker.detail();
      if (paused !== undefined) said[name] = said[name] === undefined ? paused : `${said[name]}; ${paused}`;
    }
    return said;
  }

  async work(jobs: readonly PJob[], context: JobContext): Promise<void> {
    const openings = await this.opened(jobs, context);
    const aside = openings.filter((o) => o.next === 'settle' || o.next === 'later');
    const groups = Map.groupBy(
      openings.filter((o) => o.next === 'call' || o.next === 'ask'),
      (o) => o.job.payload.approval.connector,
    );
    // A connector that is slow holds up its own actions only.
    const done = await Promise.allSettled([
      this.conclude(aside, context),
      ...[...groups].map(([name, group]) => this.run(this.connectors.get(name), group, context)),
    ]);
    const failed = done.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Opens what is new and counts a turn on what is not, in one transaction. A lost race is run again. */
  private async opened(jobs: readonly PJob[], context: JobContext): Promise<readonly Opening[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await context.transaction((work) => this.open(jobs, work));
      } catch (error) {
        if (attempt === 3 || !isTransient(error)) throw error;
      }
    }
  }

  private async open(jobs: readonly PJob[], work: Work): Promise<readonly Opening[]> {
    const { tx, at } = work;
    const settled = await work.said('id', jobs.map(settlementId));
    const compared = new Map(jobs.map((job) => [job.id, comparedBy(job.payload.approval)]));
    // What nobody has claimed before is looked up by the attempt to take it: a row that is there already is seen at the next claim.
    const named = jobs.flatMap((job) => (job.claims > 1 ? (compared.get(job.id)?.permitId ?? []) : []));
    const state = await this.state.in(tx, [...compared.values()], 'share');
    const rows = await this.permits.find(tx, named);

    const openings: Opening[] = [];
    const spending: { job: PJob; action?: ApprovedAction }[] = [];
    const ending: { job: PJob; step: Ended & { step: 'end' } }[] = [];
    const resuming: PJob[] = [];
    // Of these, those whose connector is paused.
    const unasked = new Set<PJob>();
    // Intents that the restored table has as not called.
    const lost: PJob[] = [];
    // Intents of ours that waited, or that could not be sent: nobody has called.
    const reopened = new Map<PJob, ApprovedAction>();
    const ends = new Map<PJob, { end: End; turn: number }>();
    for (const job of jobs) {
      const row = rows.get(compared.get(job.id)?.permitId ?? '');
      const before = stepSaid(settled.get(settlementId(job)));
      if (before) {
        openings.push({ next: 'settle', job, step: before });
        continue;
      }
      if (row?.jobId === job.id) {
        if (row.end) openings.push({ next: 'settle', job, step: { step: 'end', end: row.end } });
        else if (row.turns > row.unsent) {
          const wait = this.waitOf(job);
          // While its permit lives it waits; then its turns go by without a question, to an end that claims nothing.
          if (!wait) resuming.push(job);
          else if (standing(this.openOne(job, at, state, false)).kind === 'ok')
            openings.push({ next: 'later', job, step: wait });
          else if (this.breakerOf(job)?.paused) unasked.add(resuming[resuming.push(job) - 1] as PJob);
          else openings.push({ next: 'later', job, step: wait });
        } else {
          const said = this.openOne(job, at, state, false);
          const step = onReopening(standing(said), this.settings.patience);
          if (step.step !== 'later' && this.mayHaveRun(job)) lost.push(job);
          else if (said.ok) {
            const wait = this.waitOf(job);
            if (wait) openings.push({ next: 'later', job, step: wait });
            else reopened.set(job, said.action);
          } else if (step.step === 'end') ends.set(job, { end: step.end, turn: row.turns });
          else if (step.step === 'later') openings.push({ next: 'later', job, step });
        }
        continue;
      }
      const said = this.openOne(job, at, state, row !== undefined);
      const opened = onOpening(standing(said), this.settings.patience);
      const step = opened.step === 'spend' ? (this.waitOf(job) ?? opened) : opened;
      if (step.step === 'spend' && said.ok) spending.push({ job, action: said.action });
      else if (step.step === 'end' && this.mayHaveRun(job)) spending.push({ job });
      else if (step.step === 'end') ending.push({ job, step });
      else if (step.step === 'reject') openings.push({ next: 'settle', job, step });
      else if (step.step === 'later') openings.push({ next: 'later', job, step });
    }

    const taken = await this.permits.take(
      tx,
      [...spending.map(({ job }) => takingOf(job, null)), ...ending.map(({ job, step }) => takingOf(job, step.end))],
      at,
    );
    // The turn that was lost; the one that is taken now comes after it.
    for (const { job } of spending) if (taken.has(job.id) && this.mayHaveRun(job)) resuming.push(job);
    await this.permits.nextTurn(tx, lost.map(permitIdOf), at);
    resuming.push(...lost);
    const turns = await this.permits.nextTurn(tx, [...resuming, ...reopened.keys()].map(permitIdOf), at);
    const uncalled = new Map([...ends].map(([job, end]) => [permitIdOf(job), end]));
    const ended = await this.permits.endAlone(tx, uncalled, at);
    // Whoever finds the row taken looks again, and then sees a replay.
    const again: Later = { step: 'later', wait: { until: at } };
    for (const { job, action } of spending) {
      if (!taken.has(job.id)) openings.push({ next: 'later', job, step: again });
      else if (action && !this.mayHaveRun(job)) openings.push({ next: 'call', job, action, tried: first });
    }
    for (const { job, step } of ending)
      openings.push(taken.has(job.id) ? { next: 'settle', job, step } : { next: 'later', job, step: again });
    for (const job of resuming) {
      const tried = turns.get(permitIdOf(job));
      const paused = unasked.has(job) && ({ paused: true } as const);
      openings.push(tried ? { next: 'ask', job, tried, ...paused } : { next: 'later', job, step: again });
    }
    for (const [job, action] of reopened) {
      const tried = turns.get(permitIdOf(job));
      if (tried?.sent === 0) openings.push({ next: 'call', job, action, tried });
      else openings.push(tried ? { next: 'ask', job, tried } : { next: 'later', job, step: again });
    }
    for (const [job, { end }] of ends)
      openings.push(
        ended.has(permitIdOf(job))
          ? { next: 'settle', job, step: { step: 'end', end } }
          : { next: 'later', job, step: again },
      );
    return openings;
  }

  /**
   * Whether the approval was read before a restore: it may have been called, and its row is lost. That counts as a call that may
   * have been sent, so that the connected system is asked first.
   */
  private mayHaveRun({ payload }: PJob): boolean {
    return this.runtime.hadRead(payload);
  }

  private breakerOf({ payload }: PJob): Breaker | undefined {
    return this.breakers.get(payload.approval.connector);
  }

  /** How long a permit that may run has to wait for its connector: no turn is taken meanwhile. */
  private waitOf(job: PJob): Later | undefined {
    const inMs = this.breakerOf(job)?.waitMs() ?? 0;
    return inMs > 0 ? { step: 'later', wait: { inMs } } : undefined;
  }

  private openOne({ payload: { approval } }: PJob, at: string, known: Known, spent: boolean) {
    const audience = `${this.runtime.service}/${approval.connector}`;
    return open(approval, { keys: this.settings.permitKeys, audience, at, state: known(), spent });
  }

  /** Works the permits of one connector. If that takes long, the claim no longer counts among those that work. */
  private async run(connector: Connector | undefined, group: readonly Opening[], context: JobContext): Promise<void> {
    const end = this.breakers.get(connector?.name ?? '')?.begin(() => context.aside());
    try {
      await this.runAll(connector, group, context);
    } finally {
      end?.();
    }
  }

  private async runAll(
    connector: Connector | undefined,
    group: readonly Opening[],
    context: JobContext,
  ): Promise<void> {
    const calls = group.filter((o) => o.next === 'call');
    const asks = group.filter((o) => o.next === 'ask');
    const outcomes = connector
      ? await Promise.all([
          this.firstCalls(connector, calls, context),
          Promise.all(asks.map((ask) => this.ask(connector, ask, context))),
        ])
      : [
          calls.map(({ job, tried }) => outcomeOf(job, { step: 'end', end: noConnector, ifAlone: true }, tried, true)),
          asks.map(({ job, tried }) => this.nobody(job, tried)),
        ];
    await this.conclude(await this.stillOurs(outcomes.flat(), context), context);
  }

  /**
   * Calls a few at a time, each group after a look of its own: a stop reaches what has not begun, and never what a system has in
   * its queue. Where the system is slow the rest is put off, so that the lease outlasts what was begun.
   */
  private async firstCalls(
    connector: Connector,
    calls: readonly (Opening & { next: 'call' })[],
    context: JobContext,
  ): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    const began = ago();
    for (let from = 0; from < calls.length; from += callsAtOnce) {
      const these = calls.slice(from, from + callsAtOnce);
      const now = context.now();
      const slow = began() > this.leaseMs / 3;
      const later = ({ job, tried }: Opening & { next: 'call' }): Outcome =>
        outcomeOf(job, { step: 'later', wait: { until: now }, unused: tried.turn }, tried, true);
      outcomes.push(...(slow ? these.map(later) : await this.callTogether(connector, these, context)));
    }
    return outcomes;
  }

  /** The look and the calls are one turn: nothing is awaited between what is compared and the start of every call. */
  private async callTogether(
    connector: Connector,
    calls: readonly (Opening & { next: 'call' })[],
    context: JobContext,
  ): Promise<readonly Outcome[]> {
    const known = await this.state.now(calls.map((call) => comparedAgain(call.action)));
    const at = context.now();
    const started = calls.map(({ job, action, tried }) => {
      const now = standing(recheck(action, { at, state: known() }));
      const step = beforeFirstCall(now, tried, this.settings.patience);
      return step.step === 'call' ? this.call(connector, job, action, tried) : outcomeOf(job, step, tried, true);
    });
    return Promise.all(started);
  }

  /**
   * Ends the intents whose end holds only while no other instance has set out for them. Where one has, it goes on with the
   * intent, and what came of it here is dropped.
   */
  private async stillOurs(outcomes: readonly Outcome[], context: JobContext): Promise<readonly Outcome[]> {
    const ends = new Map<string, { end: End; turn: number }>();
    for (const { job, step, tried } of outcomes)
      if (step.step === 'end' && step.ifAlone) ends.set(permitIdOf(job), { end: step.end, turn: tried.turn });
    if (ends.size === 0) return outcomes;
    const ended = await context.transaction(({ tx, at }) => this.permits.endAlone(tx, ends, at));
    return outcomes.filter(({ job }) => !ends.has(permitIdOf(job)) || ended.has(permitIdOf(job)));
  }

  private async ask(
    connector: Connector,
    { job, tried, paused }: Opening & { next: 'ask' },
    context: JobContext,
  ): Promise<Outcome> {
    const { approval } = job.payload;
    if (paused) {
      const found = unknown(`connector ${connector.name} is paused, it answers nothing`);
      return outcomeOf(job, onFound(found, { kind: 'ok' }, tried, this.settings.patience), tried, true);
    }
    const found = await this.answered(connector, 'find', job, (signal) => connector.find(approval.actionId, signal));
    const known = await this.state.now([comparedBy(approval)]);
    const said = this.openOne(job, context.now(), known, false);
    const step = onFound(found, standing(said), tried, this.settings.patience);
    if (step.step === 'call' && said.ok) return this.call(connector, job, said.action, tried);
    return outcomeOf(job, step, tried, true);
  }

  private async call(connector: Connector, job: PJob, action: ApprovedAction, tried: Tried): Promise<Outcome> {
    const answer = await this.answered(connector, 'call', job, (signal) =>
      connector.call(action, action.action.actionId, signal),
    );
    const unsent = answer.outcome === 'unknown' && answer.unsent === true;
    return outcomeOf(job, onAnswer(answer, tried, this.settings.patience), tried, unsent);
  }

  /** Asks a connected system with its time limit; an error or silence is no answer, whatever the cause. */
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

  /** An intent that may have been called through a connector that is no longer configured. */
  private nobody(job: PJob, tried: Tried): Outcome {
    const found = unknown(noConnector.reason.detail);
    return outcomeOf(job, onFound(found, { kind: 'ok' }, tried, this.settings.patience), tried, true);
  }

  /** Puts off what waits and ends the rest, all in one transaction. */
  private async conclude(
    known: readonly (Outcome | (Opening & { next: 'settle' | 'later' }))[],
    context: JobContext,
  ): Promise<void> {
    const ended = new Map<string, Ended>();
    const unused = new Map<string, number>();
    const unsent: string[] = [];
    for (const one of known) {
      const { job, step } = one;
      if (step.step !== 'later') ended.set(job.id, step);
      else if (step.unused !== undefined) unused.set(permitIdOf(job), step.unused);
      else if ('unsent' in one && one.unsent) unsent.push(permitIdOf(job));
    }
    // Before the claims are given up: whoever takes one up next counts from there.
    if (unused.size + unsent.length > 0)
      await context.transaction(async ({ tx }) => {
        if (unused.size > 0) this.permits.giveBack(tx, unused);
        if (unsent.length > 0) this.permits.noteUnsent(tx, unsent);
      });
    await Promise.all(
      known.map(({ job, step }) =>
        step.step === 'later' ? context.later(job, dueAt(step, context.now())) : undefined,
      ),
    );
    const jobs = known.flatMap(({ job, step }) => (step.step === 'later' ? [] : [job]));
    await context.finish(jobs, (owned, work) => this.settle(owned, ended, work));
  }

  /** The one end of a permit whose job failed for good, by what is known of it. */
  async giveUp(job: PJob, work: Work, fault: Fault): Promise<boolean> {
    const compared = comparedBy(job.payload.approval);
    const state = await this.state.in(work.tx, [compared], 'share');
    const row = (await this.permits.find(work.tx, compared.permitId === undefined ? [] : [compared.permitId])).get(
      compared.permitId ?? '',
    );
    const mine = row?.jobId === job.id;
    // An intent whose turns were given back, or in which nothing left, has not been called.
    const said = () => standing(this.openOne(job, work.at, state, row !== undefined && !mine));
    const step = onGivenUp(mine && row.turns > row.unsent ? 'intent' : said(), fault);
    if (step.step === 'end' && !mine) {
      const taken = await this.permits.take(work.tx, [takingOf(job, step.end)], work.at);
      // Another approval of the same permit took it at this moment: a replay of the dead letter will see that.
      if (!taken.has(job.id)) return false;
    }
    await this.settle([job], new Map([[job.id, step]]), work);
    return true;
  }

  private async settle(owned: readonly PJob[], steps: ReadonlyMap<string, Ended>, work: Work): Promise<void> {
    const { tx, at } = work;
    const ends = new Map<string, End>();
    for (const job of owned) {
      const step = steps.get(job.id);
      if (step?.step === 'end') ends.set(permitIdOf(job), step.end);
    }
    const stand = await this.permits.end(tx, ends, at);
    const settled = topics.actionsSettled(this.runtime.service);
    for (const job of owned) {
      const { approval } = job.payload;
      const key = settledKey(approval);
      const step = steps.get(job.id);
      if (step?.step === 'reject') {
        work.emit(job.cause, settled, {
          key,
          type: 'PermitRejected',
          data: rejectionOf(approval, job.payload, step.reason, at),
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

/** Where an intent stands that was made in this claim. */
const first: Tried = { turn: 1, sent: 0 };

function outcomeOf(job: PJob, step: Step, tried: Tried, unsent: boolean): Outcome {
  if (step.step === 'end' || step.step === 'later') return { job, step, tried, unsent };
  throw new Error(`a turn cannot come to ${step.step}`);
}

/** How many calls of one claim are under way at once. */
const callsAtOnce = 16;

const noConnector = {
  outcome: 'refused',
  reason: { code: 'no-connector', detail: 'this executor has no such connector configured' },
} as const satisfies End;

/** Only of an approval that `open()` found to say the same as its permit. */
const permitIdOf = (job: PJob): string => job.payload.approval.permitId;

/** The id of the event that ends a permit's job. */
const settlementId = ({ cause }: PJob): string => outputId('action-executor', cause, 0);

/** How a job had ended before a restore, as its settlement says; its permit has its row again by then. */
function stepSaid(said: readonly Said[] | undefined): Ended | undefined {
  for (const { type, data } of said ?? []) {
    if (type === 'PermitRejected') return { step: 'reject', reason: data.reason };
    const end = type === 'ActionSettled' ? endOf(data) : undefined;
    if (end) return { step: 'end', end };
  }
  return undefined;
}

const takingOf = (job: PJob, end: End | null): Taking => {
  const { permitId, actionId, proposalId, connector } = job.payload.approval;
  return { permitId, jobId: job.id, actionId, proposalId, connector, end };
};

const dueAt = ({ wait }: Later, now: string): string =>
  'until' in wait ? wait.until : new Date(Date.parse(now) + wait.inMs).toISOString();

/** Asks a connected system with its time limit; an error or silence is no answer, whatever the cause. */
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
    // An error's message may quote what was sent.
    const reason = typeof code === 'string' ? code : String(name);
    return { ...unknown(`${connector.name} could not be reached (${reason})`), silent: true };
  }
}

/** Rejects when the time is up, a turn later: a connector that had not sent anything yet says so first. */
const silence = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => setImmediate(() => reject(signal.reason)), { once: true }),
  );
