import { keyThumbprint, servicePorts, topics } from '@countersign/contracts';
import { ReadingToken, RuntimeModule, type ServiceSpec } from '@countersign/runtime';
import { Module } from '@nestjs/common';
import { Approvals } from './shell/approvals.consumer.js';
import { ComparedState } from './shell/compared-state.service.js';
import { CONNECTORS, type Connector } from './shell/connector.js';
import { Mail } from './shell/connectors/mail.js';
import { sandboxes } from './shell/connectors/sandbox.js';
import { Webhook } from './shell/connectors/webhook.js';
import { Decisions } from './shell/decisions.consumer.js';
import {
  Permits1763700000001,
  Sandboxes1763700000002,
  SandboxesElsewhere1764400000001,
  SpentMinor1763700000003,
  UnsentTurns1764300000001,
} from './shell/migrations/executor-tables.js';
import { PastSettlements } from './shell/past-settlements.recovery.js';
import { PermitJobs } from './shell/permit.job.js';
import { Permits } from './shell/permits.repository.js';
import { environment, readSettings, SETTINGS, type Settings } from './shell/settings.js';

export const spec: ServiceSpec = {
  name: 'action-executor',
  access: ReadingToken,
  port: servicePorts['action-executor'],
  settings: environment,
  migrations: [
    Permits1763700000001,
    Sandboxes1763700000002,
    SpentMinor1763700000003,
    UnsentTurns1764300000001,
    SandboxesElsewhere1764400000001,
  ],
  state: [topics.consents, topics.contactPoints, topics.controls, topics.policies],
  jobs: [PermitJobs],
  recovery: PastSettlements,
  permitKeys: (env) =>
    [...readSettings(env).permitKeys.values()].map((key) => keyThumbprint(String(key.export({ format: 'jwk' }).x))),
};

@Module({
  imports: [RuntimeModule.of(spec)],
  controllers: [Approvals, Decisions],
  providers: [
    ReadingToken,
    { provide: SETTINGS, useFactory: () => readSettings(process.env) },
    Mail,
    {
      provide: CONNECTORS,
      inject: [SETTINGS, Mail],
      useFactory: ({ sandbox, webhook }: Settings, mail: Mail) =>
        new Map(
          [...(sandbox ? sandboxes(sandbox, mail) : []), ...(webhook ? [new Webhook(webhook)] : [])].map(
            (connector): [string, Connector] => [connector.name, connector],
          ),
        ),
    },
    ComparedState,
    Permits,
    PermitJobs,
    PastSettlements,
  ],
})
export class ActionExecutorModule {}
