import type { ActionKindName, ActionKindSpec } from './catalogue.js';
import type { Service } from './topology.js';

/** The agents of ours with the kinds that each can plan; an agent that runs elsewhere plans what it likes. */
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

/** The agents that are services of ours; their logins, topics and plans of the start follow from this list. */
export const ourAgents = Object.keys(agentKinds) as readonly (keyof typeof agentKinds)[];

type Family = ActionKindSpec<unknown>['connector'];

/**
 * The connectors of each executor of ours, with the families of kinds that each can run. An executor that is not listed runs
 * elsewhere, and its connectors are its own affair. Each is there where an operator has set it up: `webhook` by its file, the others by the
 * address of the sandbox systems.
 */
export const executorConnectors: Partial<Record<Service, Readonly<Record<string, readonly Family[]>>>> = {
  'action-executor': { ads: ['ads'], mailer: ['mailer'], crm: ['crm'], webhook: ['ads', 'mailer', 'crm'] },
};
