import { createHash, timingSafeEqual } from 'node:crypto';
import { Name, type PolicyContent, Sha256 } from '@countersign/contracts';
import { z } from 'zod';

/**
 * viewer: reads. reviewer: answers escalations. operator: stops and resumes. policy-owner: publishes policy. privacy-officer: looks at
 * what is known of a person. auditor: reads, for the record's sake.
 */
export const Role = z.enum(['viewer', 'reviewer', 'operator', 'policy-owner', 'privacy-officer', 'auditor']);
export type Role = z.infer<typeof Role>;
/** As a file names a role, which may have been written when a policy owner was called publisher. */
const RoleInFile = z
  .enum([...Role.options, 'publisher'])
  .transform((role): Role => (role === 'publisher' ? 'policy-owner' : role));

/** Whoever may use the console. The token itself is not kept, only its SHA-256. */
export const Person = z.strictObject({ sha256: Sha256, person: Name, roles: z.array(RoleInFile).min(1) });
export type Person = z.infer<typeof Person>;
/** No token is of two: which of them it means would depend on who reads the list. */
export const People = z
  .array(Person)
  .min(1)
  .superRefine((people, context) => {
    const owners = new Map<string, string>();
    for (const [place, { sha256, person }] of people.entries()) {
      const other = owners.get(sha256);
      if (other !== undefined)
        context.addIssue({ code: 'custom', path: [place], message: `${other} and ${person} have the same token` });
      owners.set(sha256, person);
    }
  });

/** Whose token this is. Every entry is compared, in constant time, so the time taken tells nothing of any. */
export function personOf(people: readonly Person[], token: string): Person | undefined {
  const given = createHash('sha256').update(token).digest();
  let found: Person | undefined;
  for (const person of people) {
    if (timingSafeEqual(given, Buffer.from(person.sha256, 'hex'))) found = person;
  }
  return found;
}

/** Who of a policy's parts waits for a person while none of its reviewers can log in as a reviewer: its questions would all expire. */
export function unanswerable(
  { charters, plays }: Pick<PolicyContent, 'charters' | 'plays'>,
  people: readonly Person[],
): string[] {
  const able = new Set(people.filter(({ roles }) => roles.includes('reviewer')).map(({ person }) => person));
  const asking = [
    ...charters.map(({ agent, reviewers }) => ({ what: `the charter of ${agent}`, reviewers })),
    ...plays.flatMap(({ id, checkpoint }) =>
      checkpoint ? [{ what: `the checkpoint of ${id}`, reviewers: checkpoint.reviewers }] : [],
    ),
  ];
  return asking
    .filter(({ reviewers }) => !reviewers.some((name) => able.has(name)))
    .map(
      ({ what, reviewers }) =>
        `nobody can answer for ${what}: no token in CONSOLE_TOKENS_FILE makes ${reviewers.join(' or ')} a reviewer`,
    );
}
