import { clock, count, type Paint, printable } from '@countersign/client/core';
import type { CampaignKnown } from './ledger.js';
import { withNames } from './names.js';
import { scopeName } from './scope.js';

interface Named {
  readonly campaigns?: readonly CampaignKnown[];
}

/** The waiting work of a scope, with the first entries of each kind. */
export interface Queue {
  readonly scope: string;
  /** The title of its play or the name of its account, if the console knows one. An older console does not send it. */
  readonly name?: string | null;
  readonly tasks: {
    readonly count: number;
    readonly first: readonly { readonly agent: string; readonly purpose: string; readonly dueAt: string }[];
  };
  readonly reviews: {
    readonly count: number;
    readonly first: readonly (Named & { readonly id: string; readonly detail: string; readonly deadline: string })[];
  };
  readonly approved: {
    readonly count: number;
    /** How many of these may be called now. */
    readonly due: number;
    readonly first: readonly (Named & { readonly detail: string; readonly notBefore: string })[];
  };
}

export const underWay = ({ tasks, reviews, approved }: Queue): number => tasks.count + reviews.count + approved.count;

export function queueText(paint: Paint, given: Queue): string {
  const { scope, name, tasks, reviews, approved } = printable(given);
  if (underWay(given) === 0)
    return paint.green(
      scope === 'all' ? 'Nothing is under way.' : `Nothing of ${scopeName(scope, name)} is under way.`,
    );
  const due = approved.count > 0 ? `; ${approved.due} may be called this moment` : '';
  const left = (shown: readonly unknown[], all: number) =>
    all > shown.length ? [paint.dim(`  and ${all - shown.length} more`)] : [];
  return [
    paint.bold(`${count(approved.count, 'approved action has', 'approved actions have')} not settled${due}`),
    ...approved.first.map(
      ({ detail, campaigns, notBefore }) => `  ${withNames(detail, campaigns)}, due ${clock(notBefore)}`,
    ),
    ...left(approved.first, approved.count),
    paint.bold(`${count(reviews.count, 'review waits', 'reviews wait')} for a person`),
    ...reviews.first.map(
      ({ id, detail, campaigns, deadline }) =>
        `  ${withNames(detail, campaigns)}, answer due by ${clock(deadline)}: ${id}`,
    ),
    ...left(reviews.first, reviews.count),
    paint.bold(`${count(tasks.count, 'task has', 'tasks have')} no answer of its agent yet`),
    ...tasks.first.map(({ agent, purpose, dueAt }) => `  ${purpose} (${agent}), due ${clock(dueAt)}`),
    ...left(tasks.first, tasks.count),
  ].join('\n');
}
