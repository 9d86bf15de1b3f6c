import { servicePorts } from '@countersign/contracts';
import { RuntimeModule, type ServiceSpec } from '@countersign/runtime';
import { Module } from '@nestjs/common';
import { Auditing } from './shell/auditor.access.js';
import { Checkpoints } from './shell/checkpoint.job.js';
import { Export } from './shell/export.service.js';
import { http } from './shell/http.js';
import { IdsOfLeaves1763700008701 } from './shell/migrations/ids-of-leaves.js';
import { RecordPasses1764600000781 } from './shell/migrations/record-passes.js';
import { RecordTables1763700008700 } from './shell/migrations/record-tables.js';
import { TopicsOfLeaves1763700008702 } from './shell/migrations/topics-of-leaves.js';
import { CheckpointTurn1763700008703 } from './shell/migrations/turns.js';
import { Passes } from './shell/passes.controller.js';
import { PassStore } from './shell/passes.repository.js';
import { ProofPages } from './shell/proofs.controller.js';
import { ForAnybody } from './shell/proofs.guard.js';
import { Proofs } from './shell/proofs.service.js';
import { Pages } from './shell/record.controller.js';
import { Recording } from './shell/recording.consumer.js';
import { environment, readSettings, SETTINGS } from './shell/settings.js';
import { Stories } from './shell/stories.repository.js';

export const spec: ServiceSpec = {
  name: 'audit-recorder',
  // The recorder decides nothing, and a record that it has not kept is lost when its retention ends.
  anyClock: true,
  port: servicePorts['audit-recorder'],
  settings: environment,
  access: Auditing,
  http,
  migrations: [
    RecordTables1763700008700,
    IdsOfLeaves1763700008701,
    TopicsOfLeaves1763700008702,
    CheckpointTurn1763700008703,
    RecordPasses1764600000781,
  ],
  jobs: [Checkpoints],
  recordConsumer: Recording,
  gathers: 'record',
};

@Module({
  imports: [RuntimeModule.of(spec)],
  controllers: [Pages, Passes, ProofPages],
  providers: [
    Auditing,
    Checkpoints,
    Export,
    ForAnybody,
    PassStore,
    Proofs,
    Recording,
    Stories,
    { provide: SETTINGS, useFactory: () => readSettings(process.env) },
  ],
})
export class AuditRecorderModule {}
