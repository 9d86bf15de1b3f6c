import { json, optionalFile, optionalText, text, whole } from '@countersign/runtime';
import { z } from 'zod';
import { type Mapping, RolesByClaim } from '../core/oidc.js';

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);
/** Over plain HTTP, the identity provider could be anyone. */
const isSafe = (address: string): boolean => {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || (protocol === 'http:' && loopback.has(hostname));
};

/** Signing in by an identity provider. It is off without OIDC_ISSUER. */
export const oidcVariables = {
  OIDC_ISSUER: optionalText({
    description:
      'the OpenID Connect provider that people sign in with, such as `https://id.example.com/realms/marketing`',
    preset: 'off',
    kind: 'URL',
    fits: (address) => (isSafe(address) ? undefined : 'an https address is expected'),
  }),
  OIDC_CLIENT_ID: optionalText({
    description:
      'what the provider knows the console by. Its redirect address there is `PUBLIC_URL` with `/v1/sign-in/oidc/callback`',
    preset: 'needed with `OIDC_ISSUER`',
  }),
  OIDC_CLIENT_SECRET_FILE: optionalFile({
    description: 'Without it the console is a public client there',
    holds: "the console's secret at the provider",
    secret: true,
    read: (content) => content.trim(),
  }),
  OIDC_PERSON_CLAIM: text({
    description:
      'the claim that names the person; reviewers in charters and plays have the same names. Choose a claim that people cannot edit: the account that signs in with a name first keeps the name, so nobody can take it later, but a name that nobody has used yet goes to whoever comes first',
    preset: 'preferred_username',
  }),
  OIDC_ROLES_CLAIM: text({ description: 'the claim with the groups of a person, a text or a list', preset: 'groups' }),
  OIDC_ROLES_FILE: optionalFile({
    description: 'Needed with `OIDC_ISSUER`. Somebody without a role cannot sign in',
    holds: 'a JSON object of groups, each with a list of roles: `{"marketing-leads": ["reviewer", "operator"]}`',
    read: json(RolesByClaim),
  }),
  OIDC_SESSION_MS: whole({
    description:
      'how long a session lasts that began with a sign-in at the provider; at most `SIGNED_IN_MS`. After this time the browser goes to the provider again, and the roles are those that the provider then names',
    preset: 900_000,
    unit: 'ms',
    least: 60_000,
  }),
  OIDC_NAME: text({ description: 'what the page to sign in calls the provider', preset: 'your organisation' }),
};
const given = z.object(oidcVariables);

/** Checks that the settings are complete. */
export const completeOidc = ({ value, issues }: z.core.ParsePayload<Partial<z.infer<typeof given>>>): void => {
  for (const name of ['OIDC_CLIENT_ID', 'OIDC_ROLES_FILE'] as const)
    if (value.OIDC_ISSUER !== undefined && value[name] === undefined)
      issues.push({ code: 'custom', input: '', path: [name], message: 'is not set, and OIDC_ISSUER is' });
};

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly name: string;
  /** How long the provider's statement about a person is valid, in milliseconds. */
  readonly sessionMs: number;
  readonly mapping: Mapping;
}

export const oidcSettings = (read: z.infer<typeof given>): OidcSettings | undefined =>
  read.OIDC_ISSUER === undefined
    ? undefined
    : {
        issuer: read.OIDC_ISSUER,
        clientId: read.OIDC_CLIENT_ID ?? '',
        clientSecret: read.OIDC_CLIENT_SECRET_FILE,
        name: read.OIDC_NAME,
        sessionMs: read.OIDC_SESSION_MS,
        mapping: {
          personClaim: read.OIDC_PERSON_CLAIM,
          rolesClaim: read.OIDC_ROLES_CLAIM,
          roles: read.OIDC_ROLES_FILE ?? {},
        },
      };
