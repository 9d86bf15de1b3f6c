import { z } from 'zod';

/**
 * Lists and records of contracts, with a bound that is checked before any element is read. Zod's own `.max()` reads every element
 * first, and stores a fault for each. So a writer of an event, a file or an answer could delay every reader with one that is full
 * of wrong elements. The bound is far above honest use. If something that we write could exceed it, the writer shortens it and
 * reports that.
 */

/** A list of at most `most` elements, and of at least `least`. */
export const listOf = <T extends z.ZodType>(element: T, most: number, least = 0) => {
  const list = z.array(element).max(most);
  return z.preprocess(
    (given, context) => {
      if (Array.isArray(given) && given.length > most) context.issues.push(tooMany('array', most, given));
      return given;
    },
    least > 0 ? list.min(least) : list,
  );
};

/** A record of at most `most` members. */
export const recordOf = <K extends z.core.$ZodRecordKey, V extends z.ZodType>(key: K, value: V, most: number) =>
  z.preprocess(fewMembers(most), z.record(key, value).meta({ maxProperties: most }));

/** The same with keys of a closed list. No key is required. */
export const partialRecordOf = <K extends z.core.$ZodRecordKey, V extends z.ZodType>(keys: K, value: V, most: number) =>
  z.preprocess(fewMembers(most), z.partialRecord(keys, value).meta({ maxProperties: most }));

const fewMembers =
  (most: number) =>
  (given: unknown, context: z.core.$RefinementCtx): unknown => {
    if (typeof given === 'object' && given !== null && !Array.isArray(given) && Object.keys(given).length > most)
      context.issues.push(tooMany('record', most, given));
    return given;
  };

const tooMany = (origin: 'array' | 'record', maximum: number, input: unknown) => ({
  code: 'too_big' as const,
  origin,
  maximum,
  inclusive: true,
  input,
  message: `Too many: at most ${maximum} ${origin === 'array' ? 'elements' : 'members'} are expected`,
});
