import { own } from '@countersign/contracts';
import { type Facts, type Issued, isExecuted, messageIdOf, settledAs, taskIdOf } from './facts.js';
import type { Finding, Violation } from './finding.js';
import type { Sandbox } from './observed.js';

/** Nothing twice: one end for each permit, one executed permit for each action, and every effect that was settled is there. */
export function once(facts: Facts): Finding {
  const violations: Violation[] = [];
  const byAction = new Map<string, string[]>();
  for (const permit of facts.issued.values()) {
    const { jti, sub } = permit.claims;
    const wrong = wrongEnds(permit);
    if (wrong) violations.push({ invariant: 'once', ids: [jti, sub], detail: wrong });
    if (!isExecuted(permit)) continue;
    byAction.set(sub, [...(byAction.get(sub) ?? []), jti]);
    const { sandbox } = facts;
    if (sandbox && isMissing(permit, sandbox, facts)) {
      const detail = `settled as executed, and the ${permit.claims.aud} sandbox does not have it`;
      violations.push({ invariant: 'once', ids: [jti, sub], detail });
    }
  }
  for (const [actionId, permits] of byAction) {
    if (permits.length < 2) continue;
    const detail = `executed under ${permits.length} permits`;
    violations.push({ invariant: 'once', ids: [actionId, ...permits], detail });
  }
  return { checked: facts.issued.size, violations };
}

/** `unresolved` may be followed by one other, `undone` may follow `executed`; nothing else has two ends. */
function wrongEnds({ settlements }: Issued): string | undefined {
  const outcomes = settlements.map(({ event }) => event.data.outcome);
  const countOf = (outcome: string): number => outcomes.filter((o) => o === outcome).length;
  const definite = ['executed', 'failed', 'refused', 'expired'].reduce((n, outcome) => n + countOf(outcome), 0);
  const good = definite <= 1 && countOf('unresolved') <= 1 && countOf('undone') <= countOf('executed');
  return good ? undefined : `it has more than one end: ${outcomes.join(', ')}`;
}

/** Whether a sandbox that should show the effect does not show it, although it was asked after the settlement. */
function isMissing(permit: Issued, sandbox: Sandbox, { effects }: Facts): boolean {
  const { claims } = permit;
  const settled = settledAs(permit, 'executed')?.event.data.at ?? sandbox.at;
  const shown = own(
    {
      'email.send': { connector: 'action-executor/mailer', id: messageIdOf(claims.sub), rows: sandbox.messages },
      'crm.create_task': { connector: 'action-executor/crm', id: taskIdOf(claims.sub), rows: sandbox.tasks },
    },
    claims.kind,
  );
  if (!shown || shown.connector !== claims.aud || effects.has(shown.id) || settled >= sandbox.at) return false;
  const oldest = shown.rows.map((row) => ('sentAt' in row ? row.sentAt : row.createdAt)).sort()[0];
  // It shows the newest thousand: what may be older than they are cannot be missed. It may be as old as its permit, and be settled
  // much later, where the executor died in between.
  return shown.rows.length < 1000 || oldest === undefined || claims.nbf * 1000 > Date.parse(oldest);
}
