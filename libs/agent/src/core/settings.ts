import { ConsentPurpose, ForeignId, Name, type TaskAssigned, Text } from '@countersign/contracts';
import { z } from 'zod';

const Percent = z.number().positive().max(100);

/** What a play may set for the planners of the two agents, under a task's `settings`. The README's table explains each. */
const Settings = z.object({
  adAccountId: ForeignId.optional(),
  campaignId: ForeignId.optional(),
  bidStepPercent: Percent.default(10),
  shiftPercent: Percent.default(10),
  pauseBelowShare: Percent.default(60),
  windowDays: z.int().positive().max(35).default(7),
  floorPercent: z.int().positive().optional(),
  creativeId: ForeignId.optional(),
  url: Text(1000).optional(),
  sequence: Name.optional(),
  sendAheadSeconds: z.int().nonnegative().max(86_400).default(5),
  ownerTaskHours: z.int().positive().max(720).default(24),
  template: Name.optional(),
  purpose: ConsentPurpose.optional(),
});
/** A task's settings, checked and with defaults. */
export type Settings = z.infer<typeof Settings>;

/** Reads a task's settings; a setting of the wrong shape is the play's fault and named. Settings of others are ignored. */
export function readSettings(
  given: TaskAssigned['settings'],
): { readonly ok: true; readonly settings: Settings } | { readonly ok: false; readonly says: string } {
  const read = Settings.safeParse(given);
  if (read.success) return { ok: true, settings: read.data };
  const issue = read.error.issues[0];
  return { ok: false, says: `the play's setting ${issue?.path.join('.') ?? ''} does not fit: ${issue?.message ?? ''}` };
}
