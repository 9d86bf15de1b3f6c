import { type ActionProposed, keyThumbprint, servicePorts, topics } from '@countersign/contracts';
import { ReadingToken, RuntimeModule, type ServiceSpec } from '@countersign/runtime';
import { Module } from '@nestjs/common';
import { taskLookup } from './core/tasks.js';
import { stateNamed } from './core/verdicts.js';
import { DryRuns } from './shell/dry-runs.consumer.js';
import {
  ApprovalsByMinute1763700000006,
  AuditorReadsVerdicts1764400000075,
  CountedByTask1763700000009,
  DecisionsByKind1764600000102,
  PermitsByExpiry1763700000005,
  PlainNames1764400000073,
  ProposalsByAuthor1763700000008,
  StepsOfEnrolments1763700000010,
  StopsOfSequences1763700000011,
  TasksByAge1763700000007,
  Verdicts1763700000001,
  VerdictsAsTheyAre1763700000004,
} from './shell/migrations/verdicts.js';
import { PastVerdicts } from './shell/past-verdicts.recovery.js';
import { Pages } from './shell/permit-keys.controller.js';
import { Proposals } from './shell/proposals.consumer.js';
import { DeadlineJobs, Reviews } from './shell/reviews.consumer.js';
import { environment, SIGNING_KEY, signingKey } from './shell/settings.js';
import { OverdueJobs, Settlements } from './shell/settlements.consumer.js';
import { Store } from './shell/verdicts.repository.js';
import { VerdictsService } from './shell/verdicts.service.js';

/** The events that a proposal needs and that may come later, on other topics: its task, and the state that it was made from. */
const restsOn = ({ taskId, madeFrom }: ActionProposed) => [
  { topic: topics.tasksAssigned, key: taskId, version: 1 },
  ...Object.entries(madeFrom).flatMap(([name, version]) => {
    const state = stateNamed(name);
    return state ? [{ ...state, version }] : [];
  }),
];

export const spec: ServiceSpec = {
  name: 'guardrail-validator',
  access: ReadingToken,
  port: servicePorts['guardrail-validator'],
  settings: environment,
  migrations: [
    Verdicts1763700000001,
    VerdictsAsTheyAre1763700000004,
    PermitsByExpiry1763700000005,
    ApprovalsByMinute1763700000006,
    TasksByAge1763700000007,
    ProposalsByAuthor1763700000008,
    CountedByTask1763700000009,
    StepsOfEnrolments1763700000010,
    StopsOfSequences1763700000011,
    PlainNames1764400000073,
    AuditorReadsVerdicts1764400000075,
    DecisionsByKind1764600000102,
  ],
  state: [topics.profiles, topics.consents, topics.controls, topics.policies],
  lookedUp: [taskLookup],
  jobs: [DeadlineJobs, OverdueJobs],
  permitKeys: (env) => [keyThumbprint(signingKey(env).publicJwk.x)],
  recovery: PastVerdicts,
  needs: ({ event }) => (event.type === 'ActionProposed' ? restsOn(event.data as ActionProposed) : []),
};

@Module({
  imports: [RuntimeModule.of(spec)],
  controllers: [Proposals, Reviews, DryRuns, Settlements, Pages],
  providers: [
    ReadingToken,
    { provide: SIGNING_KEY, useFactory: () => signingKey(process.env) },
    Store,
    VerdictsService,
    PastVerdicts,
    DeadlineJobs,
    OverdueJobs,
  ],
})
export class GuardrailValidatorModule {}
