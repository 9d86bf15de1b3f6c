import { createHash, timingSafeEqual } from 'node:crypto';
import { Name, type PolicyContent, Sha256, signersOf } from '@countersign/contracts';
import { z } from 'zod';

/**
 * viewer: reads. reviewer: answers escalations. operator: stops and resumes. policy-owner: publishes policy. privacy-officer: may
 * see what is known of a person. auditor: reads, to check the record.
 */
export const Role = z.enum(['viewer', 'reviewer', 'operator', 'policy-owner', 'privacy-officer', 'auditor']);
export type Role = z.infer<typeof Role>;
/** A role as a file names it. An older file may call the policy owner publisher. */
const RoleInFile = z
  .enum([...Role.options, 'publisher'])
  .transform((role): Role => (role === 'publisher' ? 'policy-owner' : role));

/** A person who may use the console. Only the SHA-256 of the token is stored, not the token. */
export const Person = z.strictObject({ sha256: Sha256, person: Name, roles: z.array(RoleInFile).min(1) });
export type Person = z.infer<typeof Person>;
/** No two people may have the same token. Otherwise its meaning would depend on the reader of the list. */
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

/** The person with this token. Every entry is compared, in constant time, so that the time shows nothing about any token. */
export function personOf(people: readonly Person[], token: string): Person | undefined {
  const given = createHash('sha256').update(token).digest();
  let found: Person | undefined;
  for (const person of people) {
    if (timingSafeEqual(given, Buffer.from(person.sha256, 'hex'))) found = person;
  }
  return found;
}

/**
 * The parts of a policy that ask a person although none of their reviewers can log in as a reviewer: all their questions would
 * expire. `groups` are the roles by groups of an identity provider, if there is one. If a group has the role, only the provider
 * knows who is in it, so nothing is said.
 */
export function unanswerable(
  { charters, plays }: Pick<PolicyContent, 'charters' | 'plays'>,
  people: readonly Person[],
  groups?: Readonly<Record<string, readonly Role[]>>,
): string[] {
  if (groups && Object.values(groups).some((roles) => roles.includes('reviewer'))) return [];
  const able = new Set(people.filter(({ roles }) => roles.includes('reviewer')).map(({ person }) => person));
  const asking = [
    ...charters.map(({ agent, reviewers }) => ({ what: `the charter of ${agent}`, reviewers })),
    ...charters.flatMap((charter) =>
      Object.values(charter.kinds).includes('approve')
        ? [{ what: `what ${charter.agent} only prepares`, reviewers: signersOf(charter) }]
        : [],
    ),
    ...plays.flatMap(({ id, checkpoint }) =>
      checkpoint ? [{ what: `the checkpoint of ${id}`, reviewers: checkpoint.reviewers }] : [],
    ),
  ];
  const nor = groups ? ', and no group in OIDC_ROLES_FILE has that role' : '';
  return asking
    .filter(({ reviewers }) => !reviewers.some((name) => able.has(name)))
    .map(
      ({ what, reviewers }) =>
        `nobody can answer for ${what}: no token in CONSOLE_TOKENS_FILE makes ${reviewers.join(' or ')} a reviewer${nor}`,
    );
}
