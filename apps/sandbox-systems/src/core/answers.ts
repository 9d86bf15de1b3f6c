import { Fault } from '@countersign/contracts';
import { z } from 'zod';

/* The answers of the systems, for the OpenAPI document. The tests compare each answer with these. */

const Shown = z.record(z.string(), z.unknown()).optional();
const Done = z.object({ outcome: z.literal('done'), reference: z.string(), before: Shown, after: Shown });
const Rejected = z.object({ outcome: z.literal('rejected'), reason: Fault });
export const CallAnswer = z.discriminatedUnion('outcome', [Done, Rejected]);
export const FoundAnswer = z.discriminatedUnion('outcome', [
  Done,
  Rejected,
  z.object({ outcome: z.literal('running') }),
]);
export const AbsentAnswer = z.object({ outcome: z.literal('absent') });
const Campaign = {
  campaignId: z.string(),
  adAccountId: z.string(),
  status: z.enum(['active', 'paused']),
  dailyBudgetMinor: z.int(),
  bidMinor: z.int(),
  currency: z.string(),
  creatives: z.array(z.string()),
};
export const CampaignAnswer = z.object(Campaign);
export const CampaignsAnswer = z.object({ campaigns: z.array(CampaignAnswer) });
const at = z.iso.datetime();
export const MessagesAnswer = z.object({
  messages: z.array(
    z.object({
      messageId: z.uuid(),
      contactId: z.uuid(),
      to: z.string().describe('The address, masked'),
      template: z.string(),
      subject: z.string(),
      body: z.string(),
      sentAt: at,
    }),
  ),
});
export const TasksAnswer = z.object({
  tasks: z.array(
    z.object({
      taskId: z.uuid(),
      accountId: z.string().nullable(),
      contactId: z.uuid().nullable(),
      ownerId: z.string().nullable(),
      title: z.string(),
      note: z.string(),
      dueAt: at,
      createdAt: at,
    }),
  ),
});
export const EnrolmentsAnswer = z.object({
  enrolments: z.array(
    z.object({
      contactId: z.uuid(),
      sequenceId: z.string(),
      status: z.enum(['active', 'stopped']),
      enrolmentId: z.string(),
      changedAt: at,
    }),
  ),
});
