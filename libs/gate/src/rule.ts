import type { Charter, PolicyPart, Reason, Route, Tier } from '@countersign/contracts';
import type { TierCandidate } from './effective-tier.js';
import type { Facts, PolicyInForce, Proposal } from './facts.js';
import type { Draw, Subject } from './subject.js';

/** What a rule sees. Everything is present, read and checked. It holds no free text about the action; the texts of the action itself are in `subject`. */
export interface Context {
  readonly proposal: Proposal;
  readonly subject: Subject;
  readonly facts: Facts;
  readonly policy: PolicyInForce;
  readonly charter: Charter;
  /** The tier under which it is judged, see `effectiveTier`; undefined if the charter does not list the kind. */
  readonly tier: Tier | undefined;
  /** The source that decided the tier, and why. */
  readonly decided: TierCandidate | undefined;
  /** Who may answer if a person is asked: the charter's reviewers, at the tier approve its signers. Names. */
  readonly answerers: readonly string[];
  readonly draws: readonly Draw[];
  readonly route: Route | undefined;
  readonly at: string;
}

/** The result of a rule, in plain words, with the figures it weighed. */
export type Finding = Omit<Reason, 'rule'>;

/**
 * A guardrail: one file, one line in `rules`. `weigh` is pure. Undefined means that the rule does not concern the action. A rule
 * that throws refuses. `parts` names the parts of the policy that the rule reads: a change of any of them ends the permit.
 */
export interface Rule {
  readonly name: string;
  readonly parts?: (context: Context) => readonly PolicyPart[];
  readonly weigh: (context: Context) => Finding | undefined;
}

type Figures = NonNullable<Reason['figures']>;

const found =
  (outcome: Finding['outcome']) =>
  (detail: string, figures?: Figures): Finding =>
    figures ? { outcome, detail, figures } : { outcome, detail };

export const pass = found('pass');
/** A person must answer. */
export const escalate = found('escalate');
export const refuse = found('refuse');
/** A fact is missing, or sources disagree. Never approved without a person, who may know more. */
export const unclear = (detail: string, figures: Figures = {}): Finding =>
  escalate(`facts unclear: ${detail}`, { ...figures, unclear: true });

const severity = { refuse: 2, escalate: 1, pass: 0 } as const;

/** The gravest of several findings of one rule, with the words of all that are equally grave; undefined for none. */
export function gravest(findings: readonly Finding[]): Finding | undefined {
  const top = Math.max(...findings.map((f) => severity[f.outcome]), -1);
  const grave = findings.filter((f) => severity[f.outcome] === top);
  const first = grave[0];
  if (!first) return undefined;
  return grave.length === 1
    ? first
    : {
        ...first,
        detail: grave
          .map((f) => f.detail)
          .join('; ')
          .slice(0, 1000),
      };
}
