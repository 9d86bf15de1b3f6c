import { type Event, servicePorts, topics } from '@countersign/contracts';
import { ReadingToken, type ServiceSpec } from '@countersign/runtime';
import { type DynamicModule, Module } from '@nestjs/common';
import { neededProfiles } from '../core/facts.js';
import { AgentHandlers } from './agent.consumer.js';
import { AGENT, type AgentDefinition, FOLLOW_UP } from './agent-definition.js';
import {
  AgentTables1763700000001,
  PermitsOfProposals1764300000066,
  ProposalsInState1764300000062,
  UnsettledProposals1763700000011,
} from './migrations/agent-tables.js';
import { CampaignsOfAdAccounts1763700000010 } from './migrations/campaigns-of-ad-accounts.js';
import { ModelQuestions1764500000231 } from './migrations/model-questions.js';
import { environment, MODEL, modelAccess } from './model-access.js';
import { PlanJobs } from './plan.job.js';
import { ProposalsPage } from './proposals.controller.js';
import { UnsettledJobs } from './unsettled.job.js';

/** What the runtime must know about an agent. */
export const agentSpec = (agent: AgentDefinition): ServiceSpec => ({
  name: agent.name,
  port: servicePorts[agent.name],
  access: ReadingToken,
  settings: environment,
  migrations: [
    AgentTables1763700000001,
    CampaignsOfAdAccounts1763700000010,
    ...(agent.migrations ?? []),
    UnsettledProposals1763700000011,
    ProposalsInState1764300000062,
    PermitsOfProposals1764300000066,
    ModelQuestions1764500000231,
  ],
  state: [topics.profiles, topics.policies],
  jobs: [PlanJobs, UnsettledJobs, ...(agent.jobs ?? [])],
  concerns: ({ event }) => concerns(agent, event),
  needs: ({ event }) =>
    event.type === 'TaskAssigned' && event.data.agent === agent.name
      ? neededProfiles(event.data.madeFrom).map((needed) => ({ topic: topics.profiles, ...needed }))
      : [],
});

/**
 * Whether an event concerns this agent. Every agent reads events of other agents and events that concern no agent. They leave no
 * trace here. The topology lists which topics an agent reads.
 */
function concerns(agent: Pick<AgentDefinition, 'name'>, event: Event): boolean {
  if (event.type === 'TaskAssigned' || event.type === 'ActionApproved' || event.type === 'ActionRefused')
    return event.data.agent === agent.name;
  if (event.type === 'ReviewDecided') return event.data.subject.kind === 'proposal' && event.data.decision === 'edit';
  return event.type !== 'PermitRejected';
}

/** An agent as a Nest module: handlers, jobs, the page of its proposals. Needs `RUNTIME`; the model comes from the environment. */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: Nest's form of a dynamic module
export class AgentModule {
  static register(agent: AgentDefinition): DynamicModule {
    return {
      module: AgentModule,
      controllers: [AgentHandlers, ProposalsPage],
      providers: [
        { provide: AGENT, useValue: agent },
        { provide: MODEL, useFactory: () => modelAccess(process.env) },
        ReadingToken,
        PlanJobs,
        UnsettledJobs,
        ...(agent.jobs ?? []),
        ...(agent.followUp ? [{ provide: FOLLOW_UP, useClass: agent.followUp }] : []),
      ],
    };
  }
}
