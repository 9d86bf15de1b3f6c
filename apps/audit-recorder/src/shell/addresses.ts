import { z } from 'zod';

/** A whole number in an address, as digits. */
export const whole = (most = Number.MAX_SAFE_INTEGER, least = 0) =>
  z
    .string(expected(least, most))
    .regex(/^(0|[1-9][0-9]{0,15})$/, expected(least, most))
    .transform(Number)
    .pipe(z.number().min(least, expected(least, most)).max(most, expected(least, most)));
const expected = (least: number, most: number) => `a whole number from ${least} to ${most} is expected`;

/** The place of a record on Kafka. */
export const place = {
  topic: z.string('the name of a topic is expected').min(1, 'the name of a topic is expected').max(300),
  partition: whole(2_147_483_647),
  offset: whole(),
};
