import { z } from 'zod';
import { listOf } from './at-most.js';

export const TimeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day in quotes is expected, such as "20:00"');

export const daysOfWeek = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export const Weekday = z.enum(daysOfWeek);
export type Weekday = z.infer<typeof Weekday>;

/** When people may get messages, by the clock and the calendar where they are. A setting that is absent is off. */
export const ContactHours = z.strictObject({
  /** No message in this time of the day: `21:00` to `08:00`. The end is not in it. */
  quietHours: z.strictObject({ from: TimeOfDay, to: TimeOfDay }).optional(),
  /** Messages on these days only. */
  workingDays: listOf(Weekday, 7, 1).optional(),
});
export type ContactHours = z.infer<typeof ContactHours>;

/** Part of the life of a permit in which its action may run: seconds since 1970, without the end. */
export const OpenTime = z.strictObject({ from: z.int(), to: z.int() });
export type OpenTime = z.infer<typeof OpenTime>;
/** A permit lives for a day at most, and few of its hours are quiet in one place and not in another. */
export const mostOpenTimes = 50;
