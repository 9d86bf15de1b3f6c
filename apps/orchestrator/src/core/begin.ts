import {
  derivedId,
  digestOf,
  type Evidence,
  own,
  type Policy,
  type Profile,
  profileKey,
  type TaskAssigned,
  type TaskEscalated,
  type Versions,
} from '@countersign/contracts';
import { type Found, profilesOf, stopText } from './detect.js';
import { type Subject, subjectKey } from './facts.js';

/** started: its tasks are out. waiting: at its checkpoint. suppressed: a control forbade it, or a change of its play. */
export type RunState = 'started' | 'waiting' | 'rejected' | 'expired' | 'suppressed';

/** One run of a play for one subject, as it is stored and listed. */
export interface Run {
  readonly runId: string;
  readonly playId: string;
  readonly title: string;
  readonly subject: Subject;
  readonly ordinal: number;
  readonly state: RunState;
  readonly reason: string;
  readonly evidence: readonly Evidence[];
  readonly trigger: { readonly source: string; readonly signalId: string };
  readonly policyVersion: number;
  readonly at: string;
}

/** What follows from a pattern that was found. */
export interface Begun {
  readonly run: Run;
  /** Tasks to assign now. */
  readonly tasks: readonly TaskAssigned[];
  /** Tasks that wait for a person. */
  readonly checkpoint: TaskEscalated | null;
}

/**
 * Turns a pattern into a run. The run's id comes from play, subject and ordinal, so the same signals in any order make the same
 * runs. A task's id comes from its run and its place in the play.
 */
export function begin(
  found: Found,
  profiles: ReadonlyMap<string, { readonly version: number; readonly data?: Profile | null }>,
  policy: Pick<Policy, 'version' | 'parts'>,
  at: string,
): Begun {
  const { play, subject, ordinal, trigger, evidence, stoppedBy } = found;
  const runId = derivedId('run', play.id, subjectKey(subject), ordinal);
  const run = (state: RunState, reason: string): Run => ({
    runId,
    playId: play.id,
    title: play.title,
    subject,
    ordinal,
    state,
    reason,
    evidence,
    trigger: { source: trigger.source, signalId: trigger.signalId },
    policyVersion: policy.version,
    at,
  });
  if (stoppedBy) {
    return { run: run('suppressed', stopText(stoppedBy)), tasks: [], checkpoint: null };
  }
  const madeFrom: Versions = Object.fromEntries(
    profilesOf(found).flatMap((key) => {
      const version = profiles.get(key)?.version ?? 0;
      return version > 0 ? [[`profile:${key}`, version]] : [];
    }),
  );
  const tasks = play.tasks.map(
    (task, index): TaskAssigned => ({
      taskId: derivedId('task', runId, index),
      play: { id: play.id, runId, title: play.title },
      agent: task.agent,
      purpose: task.purpose,
      kinds: task.kinds,
      settings: { ...found.settings, ...task.settings },
      ...(subject.kind === 'account'
        ? { accountId: subject.accountId }
        : { adAccountId: subject.adAccountId, campaignId: subject.campaignId }),
      contactIds: [...found.contactIds],
      evidence: [...evidence],
      assignedAt: at,
      dueAt: after(at, task.dueInMinutes),
      madeFrom,
    }),
  );
  const { checkpoint } = play;
  const playDigest = own(policy.parts, `play:${play.id}`);
  const account = subject.kind === 'account' ? profiles.get(profileKey.account(subject.accountId))?.data : undefined;
  if (!checkpoint) return { run: run('started', detail(found)), tasks, checkpoint: null };
  return {
    run: run('waiting', detail(found)),
    tasks: [],
    checkpoint: {
      checkpointId: derivedId('checkpoint', runId),
      play: { id: play.id, runId, title: play.title },
      ...(subject.kind === 'account' && { accountId: subject.accountId }),
      ...(account?.kind === 'account' && account.name !== undefined && { accountName: account.name }),
      reviewers: checkpoint.reviewers,
      tasks,
      digest: digestOf(tasks),
      detail: `${detail(found)} Tasks for ${play.tasks.map((t) => t.agent).join(' and ')} wait for a person.`,
      ...(playDigest !== undefined && { playDigest }),
      deadline: after(at, checkpoint.withinMinutes),
      at,
    },
  };
}

/** The tasks of a checkpoint, with new dates: the time that a person needed does not count against the agents. */
export const redated = (tasks: readonly TaskAssigned[], at: string): readonly TaskAssigned[] =>
  tasks.map((task) => ({
    ...task,
    assignedAt: at,
    dueAt: new Date(Date.parse(at) + Date.parse(task.dueAt) - Date.parse(task.assignedAt)).toISOString(),
  }));

/** The Kafka key of everything about a run. */
export const taskKey = (task: Pick<TaskAssigned, 'accountId' | 'adAccountId' | 'taskId'>): string =>
  task.accountId ?? task.adAccountId ?? task.taskId;

const after = (at: string, minutes: number): string => new Date(Date.parse(at) + minutes * 60_000).toISOString();

function detail({ play, subject, contactIds, beyond, evidence, settings }: Found): string {
  const cut = beyond > 0 ? ` Its tasks name the ${contactIds.length} of them that engaged last.` : '';
  return subject.kind === 'account'
    ? `${play.title}: ${contactIds.length + beyond} contacts of ${subject.accountId} within ${play.trigger.withinDays} days.${cut}`
    : `${play.title}: ${subject.campaignId} earned less than ${settings.floorPercent} % of its spend over ${evidence.length} days.`;
}
