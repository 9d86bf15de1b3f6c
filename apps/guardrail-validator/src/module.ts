import { type ActionProposed, keyThumbprint } from '@countersign/contracts';
import { RuntimeModule, type ServiceSpec } from '@countersign/runtime';
import { Module } from '@nestjs/common';
import { stateNamed } from './core/hearing.js';
import { Court } from './shell/court.js';
import {
  ApprovalsByMinute1763700000006,
  PermitsByExpiry1763700000005,
  Verdicts1763700000001,
  VerdictsAsTheyAre1763700000004,
} from './shell/migrations/verdicts.js';
import { Pages } from './shell/pages.js';
import { PastVerdicts } from './shell/past.js';
import { Proposals } from './shell/proposals.js';
import { DeadlineJobs, Reviews } from './shell/reviews.js';
import { SIGNING_KEY, signingKey } from './shell/settings.js';
import { OverdueJobs, Settlements } from './shell/settlements.js';
import { Store } from './shell/store.js';

export const spec: ServiceSpec = {
  name: 'guardrail-validator',
  port: 8085,
  migrations: [
    Verdicts1763700000001,
    VerdictsAsTheyAre1763700000004,
    PermitsByExpiry1763700000005,
    ApprovalsByMinute1763700000006,
  ],
  state: ['profiles.v1', 'consents.v1', 'controls.v1', 'policies.v1'],
  jobs: [DeadlineJobs, OverdueJobs],
  permitKeys: (env) => [keyThumbprint(signingKey(env).publicJwk.x)],
  recovery: PastVerdicts,
  needs: ({ event }) =>
    event.type !== 'ActionProposed'
      ? []
      : Object.entries((event.data as ActionProposed).madeFrom).flatMap(([name, version]) => {
          const state = stateNamed(name);
          return state ? [{ ...state, version }] : [];
        }),
};

@Module({
  imports: [RuntimeModule.of(spec)],
  controllers: [Proposals, Reviews, Settlements, Pages],
  providers: [
    { provide: SIGNING_KEY, useFactory: () => signingKey(process.env) },
    Store,
    Court,
    PastVerdicts,
    DeadlineJobs,
    OverdueJobs,
  ],
})
export class GuardrailValidatorModule {}
