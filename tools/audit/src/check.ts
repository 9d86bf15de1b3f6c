import { binding } from './binding.js';
import { consents } from './consents.js';
import { type Facts, factsOf } from './facts.js';
import type { Finding, Invariant, Violation, Waiting } from './finding.js';
import { judged } from './judged.js';
import { limits } from './limits.js';
import { nothingLost } from './nothing-lost.js';
import type { Observed } from './observed.js';
import { onRecord } from './on-record.js';
import { once } from './once.js';
import { permitted } from './permitted.js';
import { policies } from './policies.js';
import { reservations } from './reservations.js';
import { stops } from './stops.js';

const invariants: Readonly<Record<Invariant, { readonly detail: string; readonly check: (facts: Facts) => Finding }>> =
  {
    permitted: { detail: 'no effect without a valid permit', check: permitted },
    policies: { detail: 'judged under the published policy', check: policies },
    judged: { detail: 'judged again, verdicts are the same', check: judged },
    once: { detail: 'nothing twice', check: once },
    'nothing-lost': { detail: 'nothing lost', check: nothingLost },
    limits: { detail: 'no limit passed', check: limits },
    consents: { detail: 'no consent broken', check: consents },
    reservations: { detail: 'reservations add up', check: reservations },
    stops: { detail: 'stops obeyed', check: stops },
    binding: { detail: 'every change of state binds its readers', check: binding },
    record: { detail: 'the record is whole and holds everything', check: onRecord },
  };

/** The line of one invariant in the report. */
export interface Line {
  readonly invariant: Invariant;
  readonly detail: string;
  readonly checked: number;
  readonly violations: number;
  readonly waiting: number;
  readonly note?: string;
}

/** What the audit found. Plain JSON. */
export interface AuditReport {
  /** Whether there is no violation. */
  readonly ok: boolean;
  readonly at: string;
  readonly invariants: readonly Line[];
  readonly violations: readonly Violation[];
  /** Steps that have no end yet, oldest first. Waiting is no violation before its time is over. */
  readonly waiting: readonly Waiting[];
  readonly counts: Readonly<Record<string, number>>;
}

/** How many invariants there are. */
export const invariantCount = Object.keys(invariants).length;

/** Checks the whole observation against every invariant. Pure: the same observation gives the same report. */
export function checkInvariants(observed: Observed): AuditReport {
  const checking = checkOneByOne(observed);
  for (let step = checking.next(); ; step = checking.next()) if (step.done) return step.value;
}

/** The same, one invariant at a time. It yields the name of the next one, so that the caller can show the progress. */
export function* checkOneByOne(observed: Observed): Generator<string, AuditReport, void> {
  const facts = factsOf(observed);
  const findings: { invariant: Invariant; detail: string; finding: Finding }[] = [];
  for (const [name, { detail, check }] of Object.entries(invariants)) {
    yield detail;
    findings.push({ invariant: name as Invariant, detail, finding: check(facts) });
  }
  const violations = findings.flatMap(({ finding }) => finding.violations);
  return {
    ok: violations.length === 0,
    at: observed.at,
    invariants: findings.map(({ invariant, detail, finding }) => ({
      invariant,
      detail,
      checked: finding.checked,
      violations: finding.violations.length,
      waiting: finding.waiting?.length ?? 0,
      ...(finding.note !== undefined && { note: finding.note }),
    })),
    violations,
    waiting: findings
      .flatMap(({ finding }) => finding.waiting ?? [])
      .sort((a, b) => (a.since === b.since ? 0 : a.since < b.since ? -1 : 1)),
    counts: {
      signals: facts.inbound.length,
      accepted: facts.eventsOf('SignalAccepted').length,
      tasks: facts.eventsOf('TaskAssigned').length,
      proposals: facts.eventsOf('ActionProposed').length,
      approvals: facts.issued.size,
      refusals: facts.eventsOf('ActionRefused').length,
      settlements: facts.eventsOf('ActionSettled').length - facts.strange.length,
      executed: [...facts.issued.values()].filter((p) => p.settlements.some((s) => s.event.data.outcome === 'executed'))
        .length,
      withoutPermit: facts.unissued.length,
      strangersSettlements: facts.strange.length,
      deadLetters: facts.eventsOf('DeadLetter').length,
      records: facts.written.length,
      verdicts: facts.again.verdicts,
      verdictsChosen: facts.again.chosen.length,
    },
  };
}
