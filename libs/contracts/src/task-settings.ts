import { z } from 'zod';
import type { ActionKindName } from './catalogue.js';
import { ConsentPurpose, ForeignId, Name, Text } from './primitives.js';

const Percent = z.number().positive().max(100);

/** What a play may set for the planners of the two agents, under a task's `settings`. `libs/agent/README.md` explains each. */
export const TaskSettings = z.object({
  adAccountId: ForeignId.optional(),
  campaignId: ForeignId.optional(),
  bidStepPercent: Percent.default(10),
  shiftPercent: Percent.default(10),
  pauseBelowShare: Percent.default(60),
  windowDays: z.int().positive().max(35).default(7),
  floorPercent: z.int().positive().max(10_000).optional(),
  creativeId: ForeignId.optional(),
  url: Text(1000).optional(),
  sequence: Name.optional(),
  sendAheadSeconds: z.int().nonnegative().max(86_400).default(5),
  ownerTaskHours: z.int().positive().max(720).default(24),
  template: Name.optional(),
  purpose: ConsentPurpose.optional(),
});
/** A task's settings, checked and with defaults. */
export type TaskSettings = z.infer<typeof TaskSettings>;

const ads: readonly ActionKindName[] = [
  'ads.shift_budget',
  'ads.set_bid',
  'ads.pause_campaign',
  'ads.resume_campaign',
  'ads.publish_creative',
];

/** The kinds for which one of our planners reads a setting. If a task has none of these kinds, the setting has no effect. */
export const settingKinds: Readonly<Record<keyof TaskSettings, readonly ActionKindName[]>> = {
  adAccountId: ads,
  campaignId: ads,
  bidStepPercent: ['ads.set_bid'],
  shiftPercent: ['ads.shift_budget'],
  pauseBelowShare: ['ads.pause_campaign', 'ads.shift_budget'],
  windowDays: ads,
  floorPercent: ads,
  creativeId: ['ads.publish_creative'],
  url: ['ads.publish_creative'],
  sequence: ['sequence.enroll', 'sequence.stop', 'email.send'],
  sendAheadSeconds: ['email.send'],
  ownerTaskHours: ['crm.create_task'],
  template: ['email.send'],
  purpose: ['email.send', 'sequence.enroll'],
};
