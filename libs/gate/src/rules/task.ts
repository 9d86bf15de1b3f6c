import { own } from '@countersign/contracts';
import type { Proposal, TaskFact } from '../facts.js';
import { type Finding, gravest, pass, type Rule, refuse, unclear } from '../rule.js';
import type { Subject } from '../subject.js';

/** Nothing is proposed out of the blue: there is a task, and the orchestrator has assigned it. */
export const taskKnown: Rule = {
  name: 'task-unknown',
  weigh: ({ proposal: { taskId }, facts: { task } }) =>
    task ? pass(`task ${taskId} was assigned`) : refuse(`no task ${taskId} was assigned to anybody`, { taskId }),
};

/**
 * What a proposal says of its task is checked against the task itself: whose it is, for which run of which play, what it is about,
 * and what it allows. Authority that an author could name is none.
 */
export const task: Rule = {
  name: 'task',
  weigh: ({ proposal, subject, facts: { task: taskFact, author } }) => {
    if (!taskFact) return undefined;
    const { kind } = subject;
    const found = [
      ...same('agent', taskFact.agent, author),
      ...same('play', taskFact.play.id, proposal.play.id),
      ...same('run', taskFact.play.runId, proposal.play.runId),
      ...outsideTask(taskFact, proposal.action, subject),
      ...(taskFact.kinds.includes(kind)
        ? []
        : [refuse(`the task was assigned with ${taskFact.kinds.join(', ')}, not with ${kind}`, { kind })]),
    ];
    return (
      gravest(found) ??
      pass(`the task was given to ${taskFact.agent} for this account and ${kind}, and is about this`, { kind })
    );
  },
};

/**
 * What an action is about that its task is not about, or does not say: its account, ad account and campaign, its contacts, its sequence,
 * and whatever else the task's settings name.
 */
export function outsideTask(
  taskFact: TaskFact,
  { accountId }: Proposal['action'],
  subject: Subject,
): readonly Finding[] {
  const { adAccountId, campaignIds, contacts, sequence } = subject;
  const named = Object.entries(subject.named);
  const accounts = [
    ...same('account', taskFact.accountId, accountId),
    ...(adAccountId === undefined ? [] : same('ad account', taskFact.adAccountId, adAccountId)),
  ];
  const { contactIds, campaignId } = taskFact;
  if (contactIds === undefined) {
    return campaignIds.length + contacts.length + named.length === 0
      ? accounts
      : [...accounts, unclear('the task was kept by a version that did not keep what it is about')];
  }
  return [
    ...accounts,
    ...contacts
      .filter((contact) => !contactIds.includes(contact))
      .map((contact) => refuse(`contact ${contact} is not among those of the task`, { contact })),
    // A shift of a budget is from it or to it: the other end is the planner's to choose.
    ...(campaignId === undefined || campaignIds.length === 0 || campaignIds.includes(campaignId)
      ? []
      : same('campaign', campaignId, campaignIds.join(', '))),
    ...(sequence ? sequenceOf(taskFact, sequence) : messageOf(taskFact, subject)),
    ...named.flatMap(([name, value]) => {
      const ofTask = own(taskFact.named ?? {}, name);
      if (ofTask !== undefined) return same(name, ofTask, value);
      // What a message says is bounded by its purpose, where the task names that and no template.
      return name === 'template'
        ? []
        : [unclear(`the task names no ${name}, and the action names ${value}`, { named: value })];
    }),
  ];
}

/**
 * A message outside a sequence says what its author likes. That there may be one is the task's to say, by a purpose or a template; a task
 * that names a sequence alone is about the messages of that sequence. What for, where it is not said, would be the author's to choose.
 */
function messageOf(
  { named: { sequence, purpose, template } = {} }: TaskFact,
  { consent }: Subject,
): readonly Finding[] {
  if (!consent) return [];
  if (purpose !== undefined) return same('purpose', purpose, consent.purpose);
  const figures = { named: consent.purpose };
  if (template === undefined) {
    const about =
      sequence === undefined
        ? 'names neither a purpose nor a template'
        : `is about the messages of sequence ${sequence}`;
    return [unclear(`the task ${about}, and this is a message of its author's own`, figures)];
  }
  // The purpose of the sequence stands for it: `purpose` compares that.
  return sequence === undefined
    ? [unclear(`the task names no purpose, and the action says ${consent.purpose}`, figures)]
    : [];
}

/** Which sequence is the task's to say, or at least what for: the consent that is asked and the words that are sent follow from it. */
function sequenceOf({ named }: TaskFact, { id, purpose }: NonNullable<Subject['sequence']>): readonly Finding[] {
  if (named?.sequence !== undefined) return same('sequence', named.sequence, id);
  if (named?.purpose !== undefined && purpose !== undefined) return same('purpose', named.purpose, purpose);
  return [unclear(`the task names no sequence, and the action names ${id}`, { named: id })];
}

const same = (member: string, ofTask: string | undefined, named: string | undefined): readonly Finding[] =>
  ofTask === named
    ? []
    : [
        refuse(`the ${member} of the task is ${ofTask ?? 'none'}, that of the proposal is ${named ?? 'none'}`, {
          task: ofTask ?? null,
          named: named ?? null,
        }),
      ];
