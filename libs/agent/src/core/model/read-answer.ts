import { listOf, recordOf, type TaskAssigned } from '@countersign/contracts';
import { z } from 'zod';
import type { Plan } from '../plan.js';
import { type Aliases, aliased } from './aliases.js';
import { findJson } from './find-json.js';

const NonEmptyText = z.string().trim().min(1);
const ModelAnswer = z.object({
  proposals: listOf(
    z.object({
      kind: z.string(),
      payload: recordOf(z.string(), z.unknown(), 1000),
      rationale: NonEmptyText,
      evidence: listOf(z.number(), 500),
      confidence: z.number().min(0).max(1),
      alternatives: listOf(z.object({ detail: NonEmptyText, rejectedBecause: NonEmptyText }), 100),
    }),
    500,
  ),
  declined: z.string().trim().nullish(),
});

/** Reads a model's answer into a plan that still has to be clamped, or says which part of its shape does not fit. */
export function readAnswer(
  content: string,
  task: TaskAssigned,
  aliases: Aliases,
): { readonly ok: true; readonly plan: Plan } | { readonly ok: false; readonly detail: string } {
  const json = findJson(content);
  if (json === undefined) return { ok: false, detail: 'it is not JSON, or not one object of it' };
  const read = ModelAnswer.safeParse(json);
  if (!read.success) {
    const issue = read.error.issues[0];
    return { ok: false, detail: `${issue?.path.join('.') || 'the answer'}: ${issue?.message ?? 'invalid'}` };
  }
  const { proposals, declined } = read.data;
  return {
    ok: true,
    plan: {
      proposals: proposals.map((p) => ({
        kind: p.kind,
        payload: payloadOf(p.payload, aliases),
        rationale: cut(aliases.resolve(p.rationale), 3000),
        // A number that belongs to no evidence is ignored.
        evidence: [...new Set(p.evidence)].flatMap((n) => task.evidence[n - 1] ?? []),
        confidence: p.confidence,
        alternatives: p.alternatives.slice(0, 10).map(({ detail, rejectedBecause }) => ({
          detail: cut(aliases.resolve(detail), 500),
          rejectedBecause: cut(aliases.resolve(rejectedBecause), 500),
        })),
      })),
      ...(declined && { declined: `the model declined: ${cut(aliases.resolve(declined), 500)}` }),
    },
  };
}

/** Cut to a length, without splitting a character. */
const cut = (text: string, most: number): string => text.slice(0, most).toWellFormed();

/** Strict mode writes an absent member as null. Aliases become the ids that they represent. */
const payloadOf = (payload: Readonly<Record<string, unknown>>, aliases: Aliases): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(payload)
      .filter(([, value]) => value !== null)
      .map(([member, value]) => {
        if (typeof value !== 'string') return [member, value];
        return [member, aliased.has(member) ? aliases.idOf(value) : aliases.resolve(value)];
      }),
  );
