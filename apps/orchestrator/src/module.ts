import { servicePorts, topics } from '@countersign/contracts';
import { ReadingToken, RuntimeModule, type ServiceSpec } from '@countersign/runtime';
import { Module } from '@nestjs/common';
import { CheckpointDeadlines, Sweeps, TaskDeadlines } from './shell/deadlines.job.js';
import { LargePolicyVersions1764600000902 } from './shell/migrations/large-policy-versions-1764600000902.js';
import { PageOrders1764300000060 } from './shell/migrations/page-orders-1764300000060.js';
import { Permits1764300000063 } from './shell/migrations/permits-1764300000063.js';
import { PlainNames1764400000072 } from './shell/migrations/plain-names-1764400000072.js';
import { PlayDigests1764600000871 } from './shell/migrations/play-digests-1764600000871.js';
import { PlayRuns1763700000001 } from './shell/migrations/play-runs-1763700000001.js';
import { ProposalsOfTasks1763700000002 } from './shell/migrations/proposals-of-tasks-1763700000002.js';
import { WaitingSettlements1764300000067 } from './shell/migrations/waiting-settlements-1764300000067.js';
import { Handlers } from './shell/orchestrator.consumer.js';
import { Pages } from './shell/plays.controller.js';
import { Reviews } from './shell/reviews.consumer.js';

const profile = 'profile:';

export const spec: ServiceSpec = {
  name: 'orchestrator',
  port: servicePorts.orchestrator,
  access: ReadingToken,
  migrations: [
    PlayRuns1763700000001,
    ProposalsOfTasks1763700000002,
    PageOrders1764300000060,
    Permits1764300000063,
    WaitingSettlements1764300000067,
    PlainNames1764400000072,
    PlayDigests1764600000871,
    LargePolicyVersions1764600000902,
  ],
  state: [topics.profiles, topics.controls, topics.policies],
  jobs: [TaskDeadlines, CheckpointDeadlines, Sweeps],
  // A play matches the account's state after the signal, so the profile must be here first.
  needs: ({ event }) =>
    event.type === 'SignalAccepted'
      ? Object.entries(event.data.madeFrom).flatMap(([name, version]) =>
          name.startsWith(profile) ? [{ topic: topics.profiles, key: name.slice(profile.length), version }] : [],
        )
      : [],
};

@Module({
  imports: [RuntimeModule.of(spec)],
  controllers: [Handlers, Reviews, Pages],
  providers: [ReadingToken, TaskDeadlines, CheckpointDeadlines, Sweeps],
})
export class OrchestratorModule {}
