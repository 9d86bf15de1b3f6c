import { type DataOf, derivedId, Remark } from '@countersign/contracts';
import { z } from 'zod';
import { type Problem, problem } from './problem.js';
import { changedSince, seen } from './seen.js';

export const SettleRequest = z.strictObject({
  outcome: z.enum(['executed', 'failed']),
  /** How it is known. The note stays on the record. */
  note: Remark(1000).pipe(z.string().min(1, 'say how you know it, for whoever reads the record')),
  ...seen,
});
export type SettleRequest = z.infer<typeof SettleRequest>;

export type Decision = Pick<DataOf<'SettlementDecided'>, 'decisionId' | 'outcome' | 'by' | 'note' | 'at'>;

/** A permit that ended unresolved, by its executor, and its later outcome. */
export interface Unresolved {
  readonly permitId: string;
  readonly actionId: string;
  readonly proposalId: string;
  readonly digest: string;
  readonly executor: string;
  readonly connector: string;
  readonly key: string;
  readonly correlationId: string;
  readonly traceparent?: string;
  readonly detail: string | null;
  readonly at: string;
  /** The present outcome of its settlements. */
  readonly outcome: DataOf<'ActionSettled'>['outcome'];
  readonly decision: Decision | null;
}

/** A permit as people see it. */
export const shown = ({
  permitId,
  actionId,
  proposalId,
  executor,
  connector,
  detail,
  at,
  outcome,
  decision,
}: Unresolved) => ({
  permitId,
  actionId,
  proposalId,
  executor,
  connector,
  detail,
  at,
  outcome,
  decision,
});

/** One decision for each permit, whoever sends it, and however often. */
export const decisionIdOf = (permitId: string): string => derivedId('settlement decision', permitId);

type Ruled =
  | { readonly ok: true; readonly repeated: boolean; readonly decided: DataOf<'SettlementDecided'> }
  | { readonly ok: false; readonly problem: Problem };

/**
 * A person's decision of an unresolved permit. The same decision again changes nothing. Another one is refused, and the refusal
 * names the author of the first.
 */
export function decide(request: SettleRequest, permit: Unresolved, by: string, at: string): Ruled {
  const { permitId, actionId, proposalId, digest, executor, connector, decision, outcome } = permit;
  const ids = { permitId, actionId, proposalId, digest, executor, connector };
  if (decision) {
    if (decision.outcome === request.outcome) return { ok: true, repeated: true, decided: { ...ids, ...decision } };
    const detail = `${decision.by} decided at ${decision.at} that it ${wordOf(decision.outcome)}, noting "${decision.note}"; that stands`;
    return { ok: false, problem: problem(409, 'Decided already', detail) };
  }
  if (outcome !== 'unresolved') return { ok: false, problem: notUnresolved(permitId, outcome) };
  const changed = changedSince('this permit', shown(permit), request);
  if (changed) return { ok: false, problem: changed };
  const fresh = { decisionId: decisionIdOf(permitId), ...request, by, at };
  return { ok: true, repeated: false, decided: { ...ids, ...fresh } };
}

const wordOf = (outcome: 'executed' | 'failed'): string => (outcome === 'executed' ? 'was executed' : 'failed');

/** Why a person cannot decide a permit that has another end, or none yet. */
export const notUnresolved = (permitId: string, outcome: string): Problem =>
  problem(409, 'Not unresolved', `permit ${permitId} is ${outcome}; only what is unresolved is decided by a person`);
