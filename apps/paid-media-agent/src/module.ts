import { type AgentDefinition, AgentModule, agentSpec } from '@countersign/agent';
import { agentKinds } from '@countersign/contracts';
import { RuntimeModule } from '@countersign/runtime';
import { Module } from '@nestjs/common';
import { paidMediaRules } from './core/paid-media-rules.js';

const agent: AgentDefinition = {
  name: 'paid-media-agent',
  kinds: agentKinds['paid-media-agent'],
  rules: paidMediaRules,
};

export const spec = agentSpec(agent);

@Module({ imports: [RuntimeModule.of(spec), AgentModule.register(agent)] })
export class PaidMediaModule {}
