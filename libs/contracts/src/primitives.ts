import { z } from 'zod';
import { recordOf } from './at-most.js';

/** The longest time that an event takes for how long a person looked, in milliseconds: a week. */
export const longestLook = 604_800_000;

/** An instant: RFC 3339 in UTC, millisecond precision (`2026-11-21T10:00:00.000Z`). */
export const Instant = z.iso.datetime({ offset: false, precision: 3 });
/** An instant as an outsider writes it: RFC 3339 with any offset and precision, and `T` and `Z` in any case. It is read in capitals. */
export const AnyInstant = z
  .string()
  .max(100)
  .regex(
    anyCase(z.regexes.datetime({ offset: true })),
    'a time of RFC 3339 with its offset, such as 2026-11-21T10:00:00Z',
  )
  .overwrite((text) => text.toUpperCase())
  .meta({ format: 'date-time' });
/** A calendar day, `2026-11-21`. Its time zone is stated beside it. */
export const Day = z.iso.date();
export const Uuid = z.uuid();
/** An identifier that another system chose: printable, no white space, at most 200 characters. */
export const ForeignId = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\x21-\x7e]+$/, 'printable ASCII without spaces');
/** A name of ours in kebab-case: an agent, a play, an executor. */
export const Name = z
  .string()
  .max(80)
  .regex(/^[a-z0-9]+([.-][a-z0-9]+)*$/, 'lower-case words joined by - or .');
/** ISO 4217. */
export const Currency = z.string().regex(/^[A-Z]{3}$/, 'three capital letters, ISO 4217');
/** An amount in minor units (cents). Never a fraction, and never more than a double can hold exactly. */
export const Minor = z.int();
export const Money = z.object({ amountMinor: Minor, currency: Currency });
export type Money = z.infer<typeof Money>;
/** SHA-256 in lower-case hexadecimal. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits');
/** How long a person had something in sight, in milliseconds, as their page reports it: a week at most. It is used only for figures. */
export const LookedMs = z.int().nonnegative().max(longestLook);
/**
 * What a person saw when they acted. `digest` is SHA-256 of the RFC 8785 form of the content, as the console gave it. Absent: whatever
 * sent the act showed nothing before, or the act is older than this member.
 */
export const Seen = z.object({ digest: Sha256, lookedMs: LookedMs });
export type Seen = z.infer<typeof Seen>;
export const Text = (max: number) => z.string().min(1).max(max);
/**
 * Characters that are not visible text: controls (C0 and C1, so line breaks and escape sequences), line and paragraph separators,
 * and those that change the direction of writing.
 */
const steering = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
/**
 * A text in a form that any store, log or page can hold: one line, cut to a length. U+FFFD replaces control characters and halves
 * of surrogate pairs.
 */
export const plainText = (text: string, max = Number.POSITIVE_INFINITY): string =>
  text.replace(steering, '\ufffd').slice(0, max).toWellFormed();
/** Whether a text is one line without invisible characters; see `plainText`. */
export const isPlain = (text: string): boolean => plainText(text) === text;
/**
 * A person's reason or note, stored as one line: white space becomes one space, and other control characters become U+FFFD. It is
 * not refused for them, because a stop must not fail for its wording.
 */
export const Remark = (max: number) =>
  z
    .string()
    .transform((text) => plainText(text.replace(/\s+/g, ' ').trim()))
    .pipe(z.string().max(max));
/** The versions of state from which an event was made: `{ "profile:contact:…": 3, "consent:…": 1 }`; absent means 0. */
export const Versions = recordOf(z.string().max(1000), z.int().nonnegative(), 3000);
export type Versions = z.infer<typeof Versions>;
/**
 * An object whose members once had other names, as `{ says: 'detail' }`. Older events, and older rows of jobs, are read under the
 * present names. A member that has its present name is used as it is.
 */
export const formerly = <T extends z.ZodType>(names: Readonly<Record<string, string>>, schema: T) => {
  const former = Object.keys(names);
  return z.preprocess((given) => {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
    if (!former.some((name) => Object.hasOwn(given, name))) return given;
    const renamed = Object.entries(given).flatMap(([name, value]) => {
      const now = Object.hasOwn(names, name) ? names[name] : undefined;
      if (now === undefined) return [[name, value] as const];
      return Object.hasOwn(given, now) ? [] : [[now, value] as const];
    });
    return Object.fromEntries(renamed);
  }, schema);
};
/** The old names of the members of our sentences. */
export const formerDetail = { says: 'detail' } as const;
/** A reason in plain words, with the rule or check that gave it and the figures that it compared. */
export const Reason = formerly(
  formerDetail,
  z.object({
    rule: z.string().max(80),
    outcome: z.enum(['pass', 'escalate', 'refuse']),
    detail: z.string().max(1000),
    figures: recordOf(
      z.string().max(100),
      z.union([z.string().max(1000), z.number(), z.boolean(), z.null()]),
      200,
    ).optional(),
  }),
);
export type Reason = z.infer<typeof Reason>;
/** Why something failed, in the present form: a stable code for programs, a sentence for people, and the field if there is one. */
export const WrittenFault = z.object({
  code: z.string().max(80),
  detail: z.string().max(1000),
  field: z.string().max(300).optional(),
});
/** The same, in the form of older events. */
export const Fault = formerly(formerDetail, WrittenFault);
export type Fault = z.infer<typeof Fault>;
export const Channel = z.enum(['email', 'advertising', 'crm']);
export type Channel = z.infer<typeof Channel>;
export const ConsentPurpose = z.enum(['newsletter', 'sales', 'product', 'service']);
export type ConsentPurpose = z.infer<typeof ConsentPurpose>;
export const Seniority = z.enum(['c-suite', 'vp', 'director', 'manager', 'individual', 'unknown']);
export type Seniority = z.infer<typeof Seniority>;

/** A pattern of times that also accepts small letters. They are part of the pattern, because a JSON Schema's pattern has no flags. */
function anyCase(pattern: RegExp): RegExp {
  return new RegExp(pattern.source.replace('T(', '[Tt](').replace('Z|', '[Zz]|'));
}
