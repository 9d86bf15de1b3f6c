import { type AgentDefinition, AgentModule, agentSpec } from '@countersign/agent';
import { agentKinds } from '@countersign/contracts';
import { RuntimeModule } from '@countersign/runtime';
import { Module } from '@nestjs/common';
import { sequencingRules } from './core/sequencing-rules.js';
import { EnrolmentFollowUp } from './shell/enrolment.follow-up.js';
import { EnrolmentsPage } from './shell/enrolments.controller.js';
import { Enrolments1763700000002, EnrolmentsByTime1764300000061 } from './shell/migrations/enrolments.js';
import { StepJobs } from './shell/step.job.js';

const agent: AgentDefinition = {
  name: 'sequencing-agent',
  kinds: agentKinds['sequencing-agent'],
  rules: sequencingRules,
  migrations: [Enrolments1763700000002, EnrolmentsByTime1764300000061],
  jobs: [StepJobs],
  followUp: EnrolmentFollowUp,
};

export const spec = agentSpec(agent);

@Module({ imports: [RuntimeModule.of(spec), AgentModule.register(agent)], controllers: [EnrolmentsPage] })
export class SequencingModule {}
