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
