import { type Draft, decline, type Facts, type RulePlanner } from '@countersign/agent';
import type { Evidence, Sequence, TaskAssigned } from '@countersign/contracts';

/**
 * Enrols every contact of a task in the play's sequence, and gives the account's owner a task if the play allows it. If a task
 * may stop sequences and not start them, it stops the play's sequence for its contacts.
 */
export const sequencingRules: RulePlanner = {
  name: 'sequencing rules',
  plan: (task, facts, at) => {
    const { sequence: id } = facts.settings;
    const sequence = facts.sequences.find((s) => s.id === id);
    if (id === undefined) return decline('the play names no sequence');
    if (!sequence) return decline(`there is no sequence ${id} in the policy in force`);
    if (task.contactIds.length === 0) return decline('the task names no contact');
    if (task.kinds.includes('sequence.enroll')) {
      return {
        proposals: [...task.contactIds.map((c) => enrolment(task, sequence, c)), ...ownerTask(task, facts, at)],
      };
    }
    if (task.kinds.includes('sequence.stop')) {
      return { proposals: task.contactIds.map((contactId) => stop(task, sequence, contactId)) };
    }
    return decline('the task allows neither to start nor to stop a sequence');
  },
};

/** The evidence about a contact; all of it if none names the contact. */
export function evidenceFor(evidence: readonly Evidence[], contactId: string): readonly Evidence[] {
  const own = evidence.filter((e) => e.contactId === contactId);
  return own.length > 0 ? own : evidence;
}

function enrolment(task: TaskAssigned, sequence: Sequence, contactId: string): Draft {
  const evidence = evidenceFor(task.evidence, contactId);
  return {
    kind: 'sequence.enroll',
    payload: { contactId, sequenceId: sequence.id, purpose: sequence.purpose },
    rationale: `${evidence.length} signal(s) of this contact within the play's window; ${sequence.id} has ${sequence.steps.length} step(s), each judged before it is sent.`,
    evidence,
    confidence: 0.8,
    alternatives: [
      {
        detail: 'send one message now',
        rejectedBecause: 'a sequence stops by itself when consent goes; a single message has no next step',
      },
      { detail: 'wait for more signals', rejectedBecause: "the play's threshold is met" },
    ],
  };
}

function stop(task: TaskAssigned, sequence: Sequence, contactId: string): Draft {
  return {
    kind: 'sequence.stop',
    payload: { contactId, sequenceId: sequence.id },
    rationale: `The play asks to stop ${sequence.id} for this contact.`,
    evidence: evidenceFor(task.evidence, contactId),
    confidence: 0.9,
    alternatives: [{ detail: 'let it run out', rejectedBecause: 'messages that are known to be unwanted do harm' }],
  };
}

function ownerTask(task: TaskAssigned, facts: Facts, at: string): readonly Draft[] {
  const ownerId = facts.account?.ownerId;
  if (!task.kinds.includes('crm.create_task') || ownerId === undefined || !facts.account) return [];
  const dueAt = new Date(Date.parse(at) + facts.settings.ownerTaskHours * 3_600_000).toISOString();
  return [
    {
      kind: 'crm.create_task',
      payload: {
        // The contact shows whose task it is.
        contactId: task.contactIds[0],
        ownerId,
        title: `Follow up on account ${facts.account.accountId}`,
        note: `${task.contactIds.length} contact(s) showed interest (${task.evidence.length} signals). Play: ${task.play.id}.`,
        dueAt,
      },
      rationale: `The account has an owner, who should know before the first message goes out.`,
      evidence: task.evidence,
      confidence: 0.9,
      alternatives: [
        { detail: 'tell the owner only after a reply', rejectedBecause: 'the owner may know a reason not to write' },
      ],
    },
  ];
}
