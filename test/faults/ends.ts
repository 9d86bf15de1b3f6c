import type { Ledger, Story } from './ledger.js';
import type { Surge } from './stream.js';

const executed = (story: Story, kind: string): string[] =>
  [...story.approved.values()]
    .filter((a) => a.action.kind === kind && story.settled.get(a.permitId)?.outcome === 'executed')
    .map((a) => a.proposalId);

/** What a surge still waits for; undefined when everything that it began has ended. */
export function missing(ledger: Ledger, surge: Surge): string | undefined {
  if (!surge.published) return 'its signals to be taken';
  const waits = surge.signals.filter((id) => !ledger.accepted.has(id)).length;
  if (waits > 0) return `${waits} signals to be accepted`;
  const story = ledger.story(surge.account);
  const { tasks, answers, proposals, approved, refused, escalated, settled } = story;
  if (tasks.size < 2) return `two tasks, has ${tasks.size}`;
  for (const id of tasks.keys()) if (!answers.has(id)) return `an answer to task ${id}`;
  for (const { proposalIds } of answers.values())
    for (const id of proposalIds) if (!proposals.has(id)) return `proposal ${id}`;
  const enrolled = executed(story, 'sequence.enroll').length;
  const messages = [...proposals.values()].filter((p) => p.action.kind === 'email.send').length;
  if (messages < enrolled) return `${enrolled} messages, has ${messages}`;
  for (const id of proposals.keys())
    if (!approved.has(id) && !refused.has(id))
      return escalated.has(id) ? `a person's answer on ${id} to be judged` : `a verdict on ${id}`;
  for (const { permitId } of approved.values()) if (!settled.has(permitId)) return `an end of permit ${permitId}`;
  return undefined;
}

/** Unusual ends, as `outcome code`, with the number of each. */
export function unusual(ledger: Ledger, surges: readonly Surge[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  const count = (what: string): void => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  for (const { account, board } of surges) {
    const { settled, refused, escalated } = ledger.story(account);
    for (const { outcome, reason } of settled.values())
      if (outcome !== 'executed') count(`${outcome} ${reason?.code ?? ''}`);
    for (const { verdict } of refused.values()) count(`refused by ${reasonsOf(verdict)}`);
    if (!board) for (const { verdict } of escalated.values()) count(`escalated by ${reasonsOf(verdict)}`);
  }
  return counts;
}

const reasonsOf = ({ reasons }: { readonly reasons: readonly { readonly rule: string }[] }): string =>
  [...new Set(reasons.map(({ rule }) => rule))].sort().join(', ');
