import {
  type ActionKindName,
  actionKindNames,
  kindSpec,
  type PayloadOf,
  placeholderNames,
  type TaskAssigned,
} from '@countersign/contracts';
import type { Facts } from './facts.js';
import { campaignOf, foreignIdentifier } from './identifiers.js';
import type { Draft, Plan, PlannedBy } from './plan.js';

const placeholders = placeholderNames.map((name) => `{{${name}}}`);
const day = 86_400_000;

/** A share of an amount in minor units, rounded, at least one: the step that `bidStepPercent` and `shiftPercent` allow. */
export const shareOf = (amountMinor: number, percent: number): number =>
  Math.max(1, Math.round((amountMinor * percent) / 100));

/** The part of a plan that fits, and why the rest was left out. */
export interface ClampedPlan {
  readonly proposals: readonly Draft[];
  readonly declined?: string;
  readonly left: readonly string[];
  readonly by: PlannedBy;
}

/** The limits of an agent's plans in addition to the task: the kinds it knows, and how many proposals a plan may have. */
export interface Bounds {
  readonly kinds: readonly ActionKindName[];
  readonly most: number;
  /** The name of the planner if the plan names none. */
  readonly planner: string;
}

/**
 * Retains only what the task allows: kinds of the task and of the agent, payloads of the catalogue's shape, identifiers of the task
 * and its facts, amounts within the play's steps, texts whose placeholders an executor knows, one proposal for each subject, at
 * most `most`. A draft is accepted unchanged or left out, never repaired.
 */
export function clamp(plan: Plan, task: TaskAssigned, facts: Facts, at: string, bounds: Bounds): ClampedPlan {
  const proposals: Draft[] = [];
  const left: string[] = [...(plan.left ?? [])];
  const seen = new Set<string>();
  for (const draft of plan.proposals) {
    const subject = subjectOf(draft);
    const reason =
      fault(draft, task, facts, at, bounds.kinds) ??
      (seen.has(subject) ? 'a second one for the same' : undefined) ??
      (proposals.length >= bounds.most ? `more than ${bounds.most} proposals` : undefined);
    if (reason !== undefined) left.push(`${knownKind(draft.kind) ?? 'an unknown kind'}: ${reason}`);
    else {
      seen.add(subject);
      proposals.push(draft);
    }
  }
  return {
    proposals,
    left,
    by: plan.by ?? { kind: 'rules', name: bounds.planner },
    ...(plan.declined !== undefined && { declined: plan.declined }),
  };
}

const knownKind = (kind: string): ActionKindName | undefined => actionKindNames.find((k) => k === kind);

function fault(
  draft: Draft,
  task: TaskAssigned,
  facts: Facts,
  at: string,
  kinds: readonly ActionKindName[],
): string | undefined {
  const kind = knownKind(draft.kind);
  if (!kind) return 'not in the catalogue';
  if (!task.kinds.includes(kind)) return 'not among the kinds of the task';
  if (!kinds.includes(kind)) return 'not among the kinds of the agent';
  const parsed = kindSpec(kind)?.payload.safeParse(draft.payload);
  if (!parsed?.success) return `payload: ${parsed?.error.issues[0]?.path.join('.') || 'its shape'} does not fit`;
  const foreign = foreignIdentifier(draft.payload, task, facts);
  if (foreign) return `${foreign}: not among what the task knows`;
  const text = Object.entries(draft.payload).find(([, v]) => typeof v === 'string' && placeholderFault(kind, v));
  if (text) return `${text[0]}: a placeholder that nobody can fill in`;
  return beyond(kind, draft.payload, facts, Date.parse(at), campaignOf(task, facts));
}

/** Whether a text contains a placeholder, or part of one, that the executor of the kind cannot fill in. */
export function placeholderFault(kind: ActionKindName, text: string): boolean {
  const known = kindSpec(kind)?.connector === 'mailer' ? placeholders : [];
  const rest = known.reduce((remaining, placeholder) => remaining.replaceAll(placeholder, ''), text);
  return rest.includes('{{') || rest.includes('}}');
}

/** What exceeds the play's settings or the facts, kind by kind. The payload already has its kind's shape. */
function beyond(
  kind: ActionKindName,
  payload: unknown,
  facts: Facts,
  at: number,
  about: string | undefined,
): string | undefined {
  const { settings } = facts;
  const campaign = (id: string) => facts.adAccount?.campaigns.find((c) => c.campaignId === id);
  const within = (time: string, days: number) => Date.parse(time) >= at && Date.parse(time) <= at + days * day;
  switch (kind) {
    case 'ads.set_bid': {
      const { campaignId, bidMinor } = payload as PayloadOf<typeof kind>;
      const now = campaign(campaignId)?.bidMinor;
      if (now === undefined) return 'its bid is not known';
      return Math.abs(bidMinor - now) > shareOf(now, settings.bidStepPercent)
        ? `more than ${settings.bidStepPercent}% from the bid of now`
        : undefined;
    }
    case 'ads.shift_budget': {
      const { fromCampaignId, toCampaignId, amountMinor } = payload as PayloadOf<typeof kind>;
      const budget = campaign(fromCampaignId)?.dailyBudgetMinor;
      if (budget === undefined) return 'its budget is not known';
      if (fromCampaignId === toCampaignId) return 'from and to are the same campaign';
      if (about !== undefined && ![fromCampaignId, toCampaignId].includes(about))
        return 'neither from nor to the campaign of the task';
      return amountMinor > shareOf(budget, settings.shiftPercent) || amountMinor > budget
        ? `more than ${settings.shiftPercent}% of the budget`
        : undefined;
    }
    case 'ads.resume_campaign': {
      const { campaignId, dailyBudgetMinor } = payload as PayloadOf<typeof kind>;
      return dailyBudgetMinor > (campaign(campaignId)?.dailyBudgetMinor ?? 0) ? 'more than its budget' : undefined;
    }
    case 'email.send': {
      const { purpose, sendAt, sequence } = payload as PayloadOf<typeof kind>;
      if (sequence) return 'a step of a sequence is proposed by its enrolment only';
      if (purpose !== settings.purpose) return "not the play's purpose";
      return within(sendAt, 7) ? undefined : 'not to be sent within seven days';
    }
    case 'sequence.enroll': {
      const { sequenceId, purpose } = payload as PayloadOf<typeof kind>;
      const sequence = facts.sequences.find((s) => s.id === sequenceId);
      return sequence?.purpose === purpose ? undefined : "not the sequence's purpose";
    }
    case 'crm.create_task':
      return within((payload as PayloadOf<typeof kind>).dueAt, 30) ? undefined : 'not due within thirty days';
    case 'ads.pause_campaign':
    case 'ads.publish_creative':
    case 'sequence.stop':
      return undefined;
  }
}

/** The subject of a draft. A second draft of the same kind for the same subject adds nothing. */
function subjectOf({ kind, payload }: Draft): string {
  const { contactId, campaignId, fromCampaignId, toCampaignId, sequenceId, ownerId } = payload;
  return JSON.stringify([kind, contactId, campaignId, fromCampaignId, toCampaignId, sequenceId, ownerId]);
}
