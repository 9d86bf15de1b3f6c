import type { ActionKindName, ActionKindSpec } from './catalogue.js';
import type { Service } from './topology.js';

/** Our agents, with the kinds that each can plan. An agent that runs elsewhere may plan any kind. */
export const agentKinds = {
  'paid-media-agent': [
    'ads.shift_budget',
    'ads.set_bid',
    'ads.pause_campaign',
    'ads.resume_campaign',
    'ads.publish_creative',
  ],
  'sequencing-agent': ['sequence.enroll', 'sequence.stop', 'email.send', 'crm.create_task'],
} as const satisfies Partial<Record<Service, readonly ActionKindName[]>>;

/** The agents that are our services. Their logins, topics and start plans follow from this list. */
export const ourAgents = Object.keys(agentKinds) as readonly (keyof typeof agentKinds)[];

type Family = ActionKindSpec<unknown>['connector'];

/**
 * The connectors of each of our executors, with the families of kinds that each can run. An executor that is not listed runs
 * elsewhere and has connectors that we do not know. A connector exists only if an operator has set it up: `webhook` by its file,
 * the others by the address of the sandbox systems.
 */
export const executorConnectors: Partial<Record<Service, Readonly<Record<string, readonly Family[]>>>> = {
  'action-executor': { ads: ['ads'], mailer: ['mailer'], crm: ['crm'], webhook: ['ads', 'mailer', 'crm'] },
};
