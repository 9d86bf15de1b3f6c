import { servicePorts, topics } from '@countersign/contracts';
import { RuntimeModule, type ServiceSpec } from '@countersign/runtime';
import { Module } from '@nestjs/common';
import { Contacts1763700000001 } from './shell/migrations/contacts.js';
import { ContactJoins1763700000003 } from './shell/migrations/joins.js';
import { RenamesByAccount1763700000005 } from './shell/migrations/renames.js';
import { Reveals1764500000251 } from './shell/migrations/reveals.js';
import { Store } from './shell/profiles.repository.js';
import { RenameAccount } from './shell/rename-account.job.js';
import { Reveals } from './shell/reveals.consumer.js';
import { RevealStore } from './shell/reveals.repository.js';
import { Secrecy } from './shell/secrecy.js';
import { environment, readSettings, SETTINGS } from './shell/settings.js';
import { Handlers, inboundTopics } from './shell/signals.consumer.js';
import { Edge } from './shell/signals.edge.js';
import { SourceAccess } from './shell/source.access.js';

const isInbound = (topic: string): boolean => inboundTopics.some(({ name }) => name === topic);

export const spec: ServiceSpec = {
  name: 'signal-ingestion',
  port: servicePorts['signal-ingestion'],
  settings: environment,
  access: SourceAccess,
  migrations: [Contacts1763700000001, ContactJoins1763700000003, RenamesByAccount1763700000005, Reveals1764500000251],
  jobs: [RenameAccount],
  ownState: [topics.profiles, topics.consents, topics.contactPoints],
  // An upstream gets the result of each of its signals. An unreadable signal is rejected with the reason, and is no dead letter of ours.
  unreadable: isInbound,
  duplicates: isInbound,
};

@Module({
  imports: [RuntimeModule.of(spec)],
  controllers: [Handlers, Reveals],
  providers: [
    { provide: SETTINGS, useFactory: () => readSettings(process.env) },
    SourceAccess,
    Secrecy,
    Store,
    RevealStore,
    Edge,
    RenameAccount,
  ],
})
export class SignalIngestionModule {}
