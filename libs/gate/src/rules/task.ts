import { own } from '@countersign/contracts';
import type { Proposal, TaskFact } from '../facts.js';
import { type Finding, gravest, pass, type Rule, refuse, unclear } from '../rule.js';
import type { Subject } from '../subject.js';

/** Every proposal needs a task that the orchestrator assigned. */
export const taskKnown: Rule = {
  name: 'task-unknown',
  weigh: ({ proposal: { taskId }, facts: { task } }) =>
    task ? pass(`task ${taskId} was assigned`) : refuse(`no task ${taskId} was assigned to anybody`, { taskId }),
};

/**
 * What a proposal says about its task is compared with the task itself: its agent, its run and play, what it is about, and what
 * it allows. An author cannot give itself authority.
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
 * The parts of an action that do not fit its task: its account, ad account and campaign, its contacts, its sequence, and
 * everything else that the task's settings name.
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
    // One end of a budget shift must be the task's campaign. The planner chooses the other end.
    ...(campaignId === undefined || campaignIds.length === 0 || campaignIds.includes(campaignId)
      ? []
      : same('campaign', campaignId, campaignIds.join(', '))),
    ...(sequence ? sequenceOf(taskFact, sequence) : messageOf(taskFact, subject)),
    ...named.flatMap(([name, value]) => {
      const ofTask = own(taskFact.named ?? {}, name);
      if (ofTask !== undefined) return same(name, ofTask, value);
      // If the task names a purpose and no template, the purpose limits the message.
      return name === 'template'
        ? []
        : [unclear(`the task names no ${name}, and the action names ${value}`, { named: value })];
    }),
  ];
}

/**
 * The author writes the words of a message outside a sequence. The task must allow such a message by naming a purpose or a
 * template. A task that names only a sequence is about the messages of that sequence. A message without a purpose in its task
 * would let the author choose it.
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
  // The purpose of the sequence stands for it. The rule `purpose` compares that.
  return sequence === undefined
    ? [unclear(`the task names no purpose, and the action says ${consent.purpose}`, figures)]
    : [];
}

/** The task says which sequence, or at least for what purpose. The consent and the words depend on it. */
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
