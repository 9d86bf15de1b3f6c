import { ControlScope, Instant, Name, PolicyContent, Sha256, Uuid } from '@countersign/contracts';
import { z } from 'zod';
import { tokenStates } from './agent-tokens.js';
import { documentFormats } from './document.js';
import { NamedCampaigns, NamedPeople, ScopeName } from './names.answers.js';
import { stepStates } from './run.js';

/* What the pages of agents, plays and the policy are answered. */

const Section = z.object({ title: z.string(), lines: z.array(z.string()) });
const counts = z.record(z.string(), z.int());
/** A stop that applies to it: its own, or the stop of everything. */
const Stop = z.object({ scope: ControlScope, name: ScopeName, by: Name, reason: z.string(), changedAt: Instant });
const stops = z.array(Stop);

const Figures = z.object({
  proposed: z.int(),
  approved: z.int(),
  refused: z.int(),
  escalated: z.int(),
  /** People's answers that the validator used. */
  answers: z.object({ approve: z.int(), edit: z.int(), reject: z.int() }),
  rejectedFor: counts.describe('Rejections by the reason that their authors chose; one without a reason is in none'),
  /** One refusal can have several rules. */
  refusedBy: counts,
  /** The tokens of its model, as its answers report them, failed calls included. */
  tokens: z.object({
    state: z
      .enum(tokenStates)
      .describe(
        '`known`, or why there is no number: it answered no task, has no model, did not call it, or nobody knows',
      ),
    models: z.array(z.string()).describe('By name, the one with most calls first; at most ten'),
    calls: z.int(),
    unknownCalls: z.int().describe('Calls of which nobody knows the tokens'),
    input: z.int().nullable(),
    output: z.int().nullable(),
    perProposal: z
      .object({ input: z.int(), output: z.int() })
      .nullable()
      .describe('On average, of the proposals that came of these tokens'),
  }),
});
const period = {
  at: Instant,
  /** The first day (UTC) of the figures. */
  from: z.iso.date(),
  /** The time since which the console has figures by agent, and tokens. */
  since: Instant,
  tokensSince: Instant,
};
const Agent = {
  agent: z.string(),
  /** Null if no charter is in force: then all its proposals are refused. */
  owner: Name.nullable(),
  reviewers: z.array(Name),
  plays: z.array(z.object({ id: Name, title: z.string() })),
  stops,
  figures: Figures,
};
export const AgentsAnswer = z.object({ ...period, agents: z.array(z.object(Agent)) });
export const AgentAnswer = z.object({
  ...period,
  ...Agent,
  policyVersion: z.int().nullable(),
  /** The charter in plain words; empty if none is in force. */
  charter: z.array(Section),
});

export const CharterAnswer = z.object({
  at: Instant,
  agent: z.string(),
  /** The policy in force, from which the document was made; null if none was published. */
  policy: z.object({ version: z.int(), digest: Sha256, by: z.string(), publishedAt: Instant }).nullable(),
  format: z.enum(documentFormats),
  /** What is quoted in it is escaped for its format. */
  document: z.string(),
});

export const actionStates = [
  'proposed',
  'waiting',
  'approved',
  'refused',
  'executed',
  'failed',
  'expired',
  'unresolved',
  'undone',
] as const;
const Proposed = z.object({
  proposalId: Uuid,
  agent: z.string(),
  playId: z.string(),
  runId: Uuid,
  kind: z.string(),
  detail: z.string(),
  correlationId: z.string(),
  at: Instant,
  state: z.enum(actionStates),
  /** Since when it is in this state. */
  since: Instant,
  /** Whether a person changed it before it was decided. */
  edited: z.boolean(),
  /** Whether a person was asked: it has a card. */
  asked: z.boolean(),
  /** Why it was refused, or how it ended. */
  reason: z.string().nullable(),
  people: NamedPeople,
  campaigns: NamedCampaigns,
});
/** Where the next page begins; null at the end. */
const next = z.string().nullable();
export const AgentActionsAnswer = z.object({ actions: z.array(Proposed), next });

/** How many runs stand at a step now; for how many of these a person has to act; and how many are past their time. */
const standing = z.object({ here: z.int(), waits: z.int(), late: z.int() });
export const runStates = ['waiting', 'not-agreed', 'running', 'overdue', 'failed', 'ended'] as const;
const Play = {
  id: Name,
  title: z.string(),
  /** What starts it, in words. */
  starts: z.string(),
  agents: z.array(Name),
  stops,
  runs: z.object({ live: z.int(), lastAt: Instant.nullable() }),
};
export const PlaysAnswer = z.object({ at: Instant, plays: z.array(z.object(Play)) });
export const PlayAnswer = z.object({
  at: Instant,
  ...Play,
  policyVersion: z.int(),
  steps: z.array(
    z.object({
      kind: z.enum(['trigger', 'cool-down', 'checkpoint', 'task', 'proposals']),
      title: z.string(),
      lines: z.array(z.string()),
      agent: Name.optional(),
      /** Of the steps at which a run can stand. */
      runs: standing.optional(),
    }),
  ),
  /** Runs at steps that the play had under an earlier policy. */
  elsewhere: standing,
});
const Run = z.object({
  runId: Uuid,
  playId: z.string(),
  subject: z.object({
    kind: z.enum(['account', 'campaign', 'ad-account', 'none']),
    id: z.string().nullable(),
    name: z.string().nullable().describe('As its profile says now; an ad account has none'),
  }),
  correlationId: z.string(),
  startedAt: Instant,
  state: z.enum(runStates),
  /** From its start to its proposals, as it is drawn. */
  steps: z.array(
    z.object({
      kind: z.enum(['trigger', 'checkpoint', 'task', 'proposals']),
      state: z.enum(stepStates),
      title: z.string(),
      detail: z.string(),
      agent: z.string().nullable(),
      at: Instant.nullable().describe('Since when it is in this state; null where the run has not come to it'),
      until: Instant.nullable().describe('Until when an answer is expected'),
      story: z.string().nullable().describe('The id that finds its story'),
      review: Uuid.nullable(),
    }),
  ),
  checkpoint: z.object({ id: Uuid, deadline: Instant }).nullable(),
  tasks: z.array(
    z.object({
      taskId: Uuid,
      agent: z.string(),
      purpose: z.string(),
      assignedAt: Instant,
      dueAt: Instant,
      outcome: z.enum(['proposed', 'declined']).nullable(),
      reason: z.string().nullable(),
      proposals: z.int(),
      answeredAt: Instant.nullable(),
    }),
  ),
});
export const RunsAnswer = z.object({ at: Instant, runs: z.array(Run), next });
export const RunAnswer = z.object({
  at: Instant,
  run: Run,
  actions: z.array(Proposed),
  more: z.boolean().describe('Whether it has more actions than these'),
});

const Version = { version: z.int(), digest: Sha256, by: z.string(), publishedAt: Instant };
export const VersionsAnswer = z.object({
  inForce: z.int().nullable(),
  versions: z.array(z.object(Version)),
  next,
});
export const VersionAnswer = z.object({ ...Version, content: PolicyContent });
const differences = z.array(
  z.object({ file: z.string(), path: z.string(), before: z.string().nullable(), after: z.string().nullable() }),
);
export const DifferencesAnswer = z.object({ from: z.int(), to: z.int(), differences });
const problems = z.array(
  z.object({
    file: z.string(),
    line: z.int().optional(),
    column: z.int().optional(),
    field: z.string(),
    detail: z.string(),
  }),
);
export const CheckAnswer = z.object({
  valid: z.boolean(),
  problems,
  /** Remarks that are no faults but may be mistakes. */
  notes: problems,
  warnings: z.array(z.string()),
  /** Of the folder as it is now; null if it is not valid. Send it to publish exactly this. */
  digest: Sha256.nullable(),
  /** The version in force, 0 if there is none. Send it to replace exactly this version. */
  inForce: z.int(),
  /** Whether the folder differs in meaning from the policy in force. */
  differs: z.boolean(),
  differences,
});
