import { createHmac } from 'node:crypto';
import { Name, own } from '@countersign/contracts';
import { z } from 'zod';
import { Role } from './people.js';

/** Roles by the values of the claim that an operator maps. */
export const RolesByClaim = z.record(z.string().min(1).max(200), z.array(Role).min(1));
export type RolesByClaim = z.infer<typeof RolesByClaim>;

/** How claims become a person with roles. */
export interface Mapping {
  readonly personClaim: string;
  readonly rolesClaim: string;
  readonly roles: RolesByClaim;
}

/** The values of one attempt to sign in. All of them come from the secret in the browser's cookie, so the console stores none. */
export const attemptOf = (secret: string) => {
  const derived = (use: string): string => createHmac('sha256', secret).update(use).digest('base64url');
  return { verifier: derived('pkce'), state: derived('state'), nonce: derived('nonce') };
};

/** An account of the identity provider: OpenID Connect promises that `iss` and `sub` together never change and are never used again. */
export interface Account {
  readonly issuer: string;
  readonly subjectSha256: string;
}

/** Which account is bound to which person, at one issuer. */
export interface Binding {
  readonly person: string;
  readonly subjectSha256: string;
}

/**
 * Why an account may not sign in by a name; undefined if the two belong together. `bindings`: those of this person and of this account,
 * after a first sign-in has been bound.
 */
export function foreignAccount(
  bindings: readonly Binding[],
  person: string,
  { subjectSha256 }: Account,
): string | undefined {
  const own = bindings.find((binding) => binding.subjectSha256 === subjectSha256);
  if (own?.person === person) return undefined;
  const release = (name: string): string =>
    `an operator of this console can allow it: countersign sign-out --person ${name} --new-account --reason "…". Then sign in again.`;
  return own
    ? `You were not signed in. Your account signed in here as ${own.person} before, and your identity provider now calls it ${person}. If you are to act here as ${person}, ${release(own.person)}`
    : `You were not signed in. Another account of your identity provider signed in here as ${person} first. If yours has taken its place, ${release(person)}`;
}

type Claims = Readonly<Record<string, unknown>>;
const claim = (claims: Claims, name: string): unknown => own(claims, name);

/** Whether the claims lack what the mapping reads. Some providers give it only when they are asked again. */
export const lacks = (claims: Claims, { personClaim, rolesClaim }: Mapping): boolean =>
  claim(claims, personClaim) === undefined || claim(claims, rolesClaim) === undefined;

/** The person that the identity provider's claims describe, or why they describe nobody here. */
export function personByClaims(
  claims: Claims,
  { personClaim, rolesClaim, roles }: Mapping,
): { readonly person: string; readonly roles: readonly Role[] } | { readonly refusal: string } {
  const named = Name.safeParse(claim(claims, personClaim));
  if (!named.success)
    return {
      refusal: `Your identity provider tells no ${personClaim} that can be a name here. Whoever runs it has to set it.`,
    };
  const values = [claim(claims, rolesClaim)].flat().filter((value) => typeof value === 'string');
  const found = Role.options.filter((role) => values.some((value) => own(roles, value)?.includes(role)));
  return found.length > 0
    ? { person: named.data, roles: found }
    : {
        refusal:
          'You have no role in this console. Whoever runs it gives roles by the groups of your identity provider.',
      };
}
