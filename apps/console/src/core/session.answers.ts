import { Instant, Name } from '@countersign/contracts';
import { z } from 'zod';
import { Role } from './people.js';

/* The console's answers about signing in. */

export const SignInAnswer = z.object({
  link: z.boolean().describe('Whether a one-time link can be used'),
  oidc: z
    .object({ name: z.string(), url: z.string() })
    .nullable()
    .describe('The identity provider, and the address that begins there'),
});
export const LinkAnswer = z.object({ url: z.string(), expiresAt: Instant });
export const SignedOutAnswer = z.object({
  person: Name,
  sessions: z.int().nonnegative().describe('How many sessions ended'),
  links: z.int().nonnegative().describe('How many one-time links no longer work'),
  accounts: z.int().nonnegative().describe('How many accounts at an identity provider were released'),
  at: Instant,
});
export const SessionAnswer = z.object({
  person: Name,
  roles: z.array(Role),
  csrfToken: z.string().describe('For the header X-CSRF-Token of whatever changes something'),
  signedInAt: Instant,
  expiresAt: Instant,
  renewal: z
    .string()
    .nullable()
    .describe('Where a browser goes when the session is over, to begin another one; null where only a link does'),
});
