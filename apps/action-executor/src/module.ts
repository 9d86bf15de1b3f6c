import { keyThumbprint, topics } from '@countersign/contracts';
import { RuntimeModule, type ServiceSpec } from '@countersign/runtime';
import { Module } from '@nestjs/common';
import { Approvals } from './shell/approvals.consumer.js';
import { ComparedState } from './shell/compared-state.service.js';
import { CONNECTORS, type Connector } from './shell/connector.js';
import { AdsSandbox } from './shell/connectors/ads-sandbox.js';
import { CrmSandbox } from './shell/connectors/crm-sandbox.js';
import { MailerSandbox } from './shell/connectors/mailer-sandbox.js';
import { Sandbox } from './shell/connectors/sandbox.js';
import { Webhook } from './shell/connectors/webhook.js';
import { Decisions } from './shell/decisions.consumer.js';
import {
  Permits1763700000001,
  Sandboxes1763700000002,
  SpentMinor1763700000003,
  UnsentTurns1764300000001,
} from './shell/migrations/executor-tables.js';
import { PastSettlements } from './shell/past-settlements.recovery.js';
import { PermitJobs } from './shell/permit.job.js';
import { Permits } from './shell/permits.repository.js';
import { SandboxAccess } from './shell/sandbox.access.js';
import { SandboxPages } from './shell/sandbox.controller.js';
import { readSettings, SETTINGS, type Settings } from './shell/settings.js';

export const spec: ServiceSpec = {
  name: 'action-executor',
  port: 8086,
  access: SandboxAccess,
  migrations: [Permits1763700000001, Sandboxes1763700000002, SpentMinor1763700000003, UnsentTurns1764300000001],
  state: [topics.consents, topics.contactPoints, topics.controls, topics.policies],
  jobs: [PermitJobs],
  recovery: PastSettlements,
  permitKeys: (env) =>
    [...readSettings(env).permitKeys.values()].map((key) => keyThumbprint(String(key.export({ format: 'jwk' }).x))),
};

@Module({
  imports: [RuntimeModule.of(spec)],
  controllers: [Approvals, Decisions, SandboxPages],
  providers: [
    { provide: SETTINGS, useFactory: () => readSettings(process.env) },
    SandboxAccess,
    Sandbox,
    AdsSandbox,
    MailerSandbox,
    CrmSandbox,
    {
      provide: CONNECTORS,
      inject: [SETTINGS, AdsSandbox, MailerSandbox, CrmSandbox],
      useFactory: ({ webhook }: Settings, ...sandboxes: Connector[]) =>
        new Map([...sandboxes, ...(webhook ? [new Webhook(webhook)] : [])].map((c) => [c.name, c])),
    },
    ComparedState,
    Permits,
    PermitJobs,
    PastSettlements,
  ],
})
export class ActionExecutorModule {}
