import { type AccountProfile, type Play, profileKey, type SignalAccepted, topics } from '@countersign/contracts';
import {
  type Batch,
  type Cause,
  Consumes,
  causeOf,
  deployment,
  RUNTIME,
  type Runtime,
  type Tx,
} from '@countersign/runtime';
import { Controller, Inject, Logger } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { begin, taskKey } from '../core/begin.js';
import {
  concerns,
  coolsDown,
  detect,
  type Found,
  type Known,
  type Match,
  profilesOf,
  scopesOf,
  underControls,
} from '../core/detect.js';
import { type DayReport, dayReport, subjectKey } from '../core/facts.js';
import { dayMs } from '../core/patterns.js';
import { assign } from './assign.js';
import { controlsOn } from './controls.js';
import { checkpointDeadline, sweeping } from './deadlines.job.js';
import { loadReports, loadSignals, lockSubjects, noteStarts, storeReports, storeSignals } from './facts.repository.js';
import { noteRefusals, settleTasks, storeCheckpoint, storeRuns } from './runs.repository.js';
import { dropWaiting, notePermits, noteSettlements, Waiting } from './settlements.repository.js';

const installed = deployment();
/** The agent of each topic: only the topic's writer may write there. */
const agentOf = new Map(installed.agents.map((agent) => [topics.tasksSettled(agent).name, agent]));
const executorOf = new Map(installed.executors.map((executor) => [topics.actionsSettled(executor).name, executor]));

/** Turns accepted signals into runs and tasks, and stores their results. */
@Controller()
export class Handlers {
  private readonly log = new Logger('plays');
  private readonly waiting = new Waiting();
  private sweepAskedAt = Number.NEGATIVE_INFINITY;

  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  @Consumes(topics.signalsAccepted)
  async onSignals(@Payload() batch: Batch<'SignalAccepted'>): Promise<void> {
    const { tx, at } = batch;
    const events = batch.events.map(({ event }) => event.data);
    const causes = new Map(batch.events.map((received) => [received.event.data, causeOf(received)]));
    const policy = (await this.runtime.state(tx, topics.policies, ['main'])).get('main');
    const plays = policy?.data?.content.plays ?? [];

    const { matches, signals, reports } = detect(events, await this.know(tx, plays, events, at), at);
    const found = await this.underControls(tx, matches);
    storeSignals(tx, signals);
    storeReports(tx, reports);
    this.askForSweep(batch);
    if (found.length === 0) return;

    noteStarts(
      tx,
      found
        .filter((f) => !f.stoppedBy)
        .map((f) => ({ playId: f.play.id, subject: subjectKey(f.subject), ordinal: f.ordinal })),
      at,
    );
    const profiles = await this.runtime.state(tx, topics.profiles, found.flatMap(profilesOf));
    const under = { version: policy?.version ?? 0, parts: policy?.data?.parts ?? {} };
    const begun = found.map((f) => ({ ...begin(f, profiles, under, at), trigger: f.trigger }));
    storeRuns(
      tx,
      begun.map(({ run }) => run),
    );
    const causeOfRun = ({ trigger }: (typeof begun)[number]) => causes.get(trigger) as Cause;
    assign(
      batch,
      begun.flatMap((start) => start.tasks.map((task) => ({ task, cause: causeOfRun(start) }))),
    );
    for (const start of begun) {
      const { run, checkpoint } = start;
      const cause = causeOfRun(start);
      if (run.state === 'suppressed') this.log.warn(`run ${run.runId} of ${run.playId} suppressed: ${run.reason}`);
      if (!checkpoint) continue;
      storeCheckpoint(tx, checkpoint);
      const key = checkpoint.tasks[0] ? taskKey(checkpoint.tasks[0]) : checkpoint.checkpointId;
      batch.emit(cause, topics.tasksEscalated, { key, type: 'TaskEscalated', data: checkpoint });
      batch.schedule(cause, {
        kind: checkpointDeadline,
        id: checkpoint.checkpointId,
        dueAt: checkpoint.deadline,
        payload: null,
      });
    }
  }

  @Consumes(...installed.agents.map(topics.tasksSettled))
  async onTasksSettled(@Payload() batch: Batch<'TaskSettled'>): Promise<void> {
    // The topic identifies the writer: an agent settles only its own tasks.
    const agent = agentOf.get(batch.topic) ?? batch.topic;
    settleTasks(
      batch.tx,
      agent,
      batch.events.map(({ event }) => event.data),
    );
  }

  @Consumes(topics.actionsRefused)
  async onRefused(@Payload() batch: Batch<'ActionRefused'>): Promise<void> {
    noteRefusals(
      batch.tx,
      batch.events.map(({ event }) => event.data),
      batch.at,
    );
  }

  @Consumes(topics.actionsApproved)
  async onApproved(@Payload() batch: Batch<'ActionApproved'>): Promise<void> {
    notePermits(
      batch.tx,
      batch.events.map(({ event }) => event.data),
    );
  }

  @Consumes(...installed.executors.map(topics.actionsSettled))
  async onSettled(@Payload() batch: Batch<'ActionSettled' | 'PermitRejected'>): Promise<void> {
    // The topic identifies the writer: an executor settles only in its own name.
    const executor = executorOf.get(batch.topic) ?? batch.topic;
    const settled = batch.events.flatMap(({ event }) =>
      event.type === 'ActionSettled' && event.data.executor === executor ? [event.data] : [],
    );
    noteSettlements(batch.tx, settled, batch.at);
    if (!this.waiting.tooMany(executor, settled.length)) return;
    const dropped = await dropWaiting(batch.tx, executor);
    if (dropped > 0)
      this.log.warn(
        `${dropped} settlements of ${executor} forgotten: more of its permits than may wait are known to nobody`,
      );
  }

  /** Controls decide what happens with a pattern, not whether there is one. They are read only if there is one. */
  private async underControls(tx: Tx, matches: readonly Match[]): Promise<readonly Found[]> {
    if (matches.length === 0) return [];
    const scopes = matches.flatMap(({ play, subject }) => scopesOf(play.id, subject));
    return underControls(matches, await controlsOn(this.runtime, tx, scopes));
  }

  /**
   * Schedules the sweep now and then, not with each batch. Once a day would not be enough: a batch that is rolled back has scheduled
   * nothing.
   */
  private askForSweep(batch: Batch<'SignalAccepted'>): void {
    const [first] = batch.events;
    const { at } = batch;
    if (!first || Math.abs(Date.parse(at) - this.sweepAskedAt) < askEveryMs) return;
    this.sweepAskedAt = Date.parse(at);
    batch.schedule(causeOf(first), { kind: sweeping, id: nextDay(at), dueAt: nextDay(at), payload: null });
  }

  /**
   * Reads the facts for the decisions on a batch. The rows of plays and subjects are locked first, so that no other batch decides on
   * them.
   */
  private async know(tx: Tx, plays: readonly Play[], events: readonly SignalAccepted[], at: string): Promise<Known> {
    const campaigns = new Map<string, DayReport>();
    for (const report of events.map(dayReport)) {
      if (report) campaigns.set(subjectKey({ kind: 'campaign', ...report }), report);
    }
    const wanted: { play: Play; playId: string; subject: string; accountId?: string }[] = [];
    let lookBackDays = 0;
    for (const play of plays) {
      const { trigger } = play;
      if (trigger.pattern === 'distinct-contacts') {
        lookBackDays = Math.max(lookBackDays, trigger.withinDays + play.freshWithinDays);
        const accountIds = new Set(
          events.flatMap((e) =>
            e.triggers && e.accountId !== undefined && (e.type === trigger.signal || e.type === 'AccountUpserted')
              ? [e.accountId]
              : [],
          ),
        );
        for (const accountId of accountIds) {
          wanted.push({ play, playId: play.id, subject: subjectKey({ kind: 'account', accountId }), accountId });
        }
      } else {
        for (const subject of campaigns.keys()) wanted.push({ play, playId: play.id, subject });
      }
    }
    const subjects = await lockSubjects(tx, wanted);
    // There are many signals: only those in which a pattern may be found are read.
    const open = wanted.filter((w) => !coolsDown(w.play, subjects.get(`${w.playId} ${w.subject}`), at));
    const accounts = await this.accounts(tx, [...new Set(open.flatMap((w) => w.accountId ?? []))]);
    const matching = open.filter((w) => w.accountId !== undefined && concerns(w.play, accounts.get(w.accountId)));
    const accountIds = [...new Set(matching.flatMap((w) => w.accountId ?? []))];
    const types = plays.flatMap((p) => (p.trigger.pattern === 'distinct-contacts' ? [p.trigger.signal] : []));
    const since = new Date(Date.parse(at) - lookBackDays * dayMs).toISOString();
    return {
      plays,
      subjects,
      signals: await loadSignals(tx, accountIds, types, since),
      // Reports are read without a play too: an earlier report must not replace a later one.
      reports: await loadReports(tx, [...campaigns.values()]),
      accounts,
    };
  }

  private async accounts(tx: Tx, accountIds: readonly string[]): Promise<Map<string, AccountProfile>> {
    const rows = await this.runtime.state(tx, topics.profiles, accountIds.map(profileKey.account));
    return new Map(
      [...rows.values()].flatMap(({ data }) => (data?.kind === 'account' ? [[data.accountId, data] as const] : [])),
    );
  }
}

const askEveryMs = 600_000;
const nextDay = (at: string): string => new Date(Math.floor(Date.parse(at) / dayMs + 1) * dayMs).toISOString();
