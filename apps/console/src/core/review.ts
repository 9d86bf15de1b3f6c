import {
  Action,
  contractFault,
  type DataOf,
  derivedId,
  digestOf,
  kindSpec,
  LookedMs,
  Remark,
  recordOf,
  rejections,
  Sha256,
} from '@countersign/contracts';
import { z } from 'zod';
import type { Person } from './people.js';
import { type Problem, problem } from './problem.js';
import type { Escalation } from './project.js';

/** `digest` is the one on the card: an answer is bound to what its author saw. */
export const ReviewRequest = z.strictObject({
  decision: z.enum(['approve', 'edit', 'reject']),
  digest: Sha256,
  /** The whole new payload, for an edit. */
  payload: recordOf(z.string(), z.unknown(), 1000).optional(),
  note: Remark(1000).optional(),
  /** Why: each rejection has it, and nothing else does. */
  category: z.enum(rejections).optional(),
  /** How long the page showed the card, in milliseconds. */
  lookedMs: LookedMs.optional(),
});
export type ReviewRequest = z.infer<typeof ReviewRequest>;

/** The whole new payload of an edit that is not sent yet. Without a payload, the action that waits. */
export const DryRunRequest = z.strictObject({ payload: recordOf(z.string(), z.unknown(), 1000).optional() });

export const standings = ['open', 'answered', 'approved', 'refused', 'superseded', 'expired'] as const;
/** The state of an escalation. `answered` is between a person's answer and the one of the validator or orchestrator. */
export type Standing = (typeof standings)[number];

const acts = { approve: 'approved it', edit: 'changed it', reject: 'rejected it' } as const;

/** The same person, subject and key give the same review, however often it is sent. */
export const reviewIdOf = (person: string, subjectId: string, key: string): string =>
  derivedId('review', person, subjectId, key);

/**
 * A fingerprint that separates a repeat from another request under the same key. `lookedMs` is left out, because a repeat is sent
 * later.
 */
export const fingerprint = (subjectId: string, { lookedMs: _later, ...request }: ReviewRequest): string =>
  digestOf({ subjectId, ...request });

/**
 * A person's answer to an escalation. The validator (or the orchestrator) decides whether it takes effect: it knows the facts of
 * that moment, and only the first answer within the deadline counts.
 */
export function review(
  request: ReviewRequest,
  escalation: Escalation,
  standing: Standing,
  by: Pick<Person, 'person'>,
  reviewId: string,
  at: string,
  /** The answer that counts so far, if there is one. */
  before?: { readonly by: string; readonly decision: ReviewRequest['decision'] },
): { ok: true; decided: DataOf<'ReviewDecided'> } | { ok: false; problem: Problem } {
  const refuse = (...args: Parameters<typeof problem>) => ({ ok: false as const, problem: problem(...args) });
  const { card, subject } = escalation;
  if (!card.reviewers.includes(by.person)) {
    const reviewers = card.reviewers.join(', ');
    return refuse(403, 'Not a reviewer of this', `${by.person} is not among its reviewers; ${reviewers} may answer`);
  }
  if (standing !== 'open') {
    const what = before ? `${before.by} ${acts[before.decision]} already` : `it is ${standing} already`;
    return refuse(409, 'Not open', `${what}; an answer would have no effect`);
  }
  if (request.digest !== escalation.digest) {
    const detail = 'it is not what you were shown any more; look at it again and answer with its present digest';
    return refuse(409, 'Another digest', detail, 'digest');
  }
  if (request.category !== undefined && request.decision !== 'reject')
    return refuse(400, 'Unexpected category', 'only a rejection has a category', 'category');
  if (request.category === undefined && request.decision === 'reject')
    return refuse(400, 'Category missing', `a rejection says why: one of ${rejections.join(', ')}`, 'category');
  const decided = {
    reviewId,
    subject,
    digest: request.digest,
    decision: request.decision,
    by: by.person,
    ...(request.note !== undefined && { note: request.note }),
    ...(request.category !== undefined && { category: request.category }),
    ...(request.lookedMs !== undefined && { lookedMs: request.lookedMs }),
    at,
  };
  if (request.decision !== 'edit') {
    return request.payload === undefined
      ? { ok: true, decided }
      : refuse(400, 'Unexpected payload', 'only an edit carries a payload', 'payload');
  }
  if (!('action' in card)) {
    return refuse(400, 'Cannot be edited', "a play's checkpoint can be approved or rejected", 'decision');
  }
  const spec = kindSpec(card.action.kind);
  if (!request.payload || !spec) {
    return refuse(400, 'Payload missing', 'an edit carries the whole new payload', 'payload');
  }
  const parsed = spec.payload.safeParse(request.payload);
  if (!parsed.success) {
    const fault = contractFault(parsed.error);
    const field = (fault.field ?? '').replace(/^data/, 'payload');
    return refuse(400, 'Payload invalid', fault.detail.replace(/^data/, 'payload'), field);
  }
  if (digestOf(parsed.data) === digestOf(card.action.payload)) {
    return refuse(400, 'Nothing changed', 'the edit changes nothing; approve it instead', 'payload');
  }
  const action = Action.parse({ ...card.action, actionId: derivedId('action', reviewId), payload: parsed.data });
  return { ok: true, decided: { ...decided, action } };
}

/** The action whose verdict somebody asks for before they answer: the one that waits, or what their edit would make of it. */
export function tried(
  { payload }: z.infer<typeof DryRunRequest>,
  escalation: Escalation,
  standing: Standing,
  by: Pick<Person, 'person'>,
  dryRunId: string,
  at: string,
): { ok: true; action: Action } | { ok: false; problem: Problem } {
  if (!('action' in escalation.card)) {
    const detail = 'no rule judges the checkpoint of a play; what its agents propose is judged';
    return { ok: false, problem: problem(400, 'Not judged by rules', detail) };
  }
  const decision = payload === undefined ? ('approve' as const) : ('edit' as const);
  const request = { decision, digest: escalation.digest, ...(payload && { payload }) };
  const answer = review(request, escalation, standing, by, dryRunId, at);
  return answer.ok ? { ok: true, action: answer.decided.action ?? escalation.card.action } : answer;
}
