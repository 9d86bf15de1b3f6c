import { Seniority, Uuid } from '@countersign/contracts';
import { z } from 'zod';

/* What the texts about an action name by an id, for the OpenAPI document. */

export const NamedPeople = z
  .array(
    z.object({
      contactId: Uuid,
      seniority: Seniority,
      jobFunction: z.string().nullable(),
      accountName: z.string().nullable(),
    }),
  )
  .describe('Whom it concerns, as far as the console knows them; at most ten');
export const NamedCampaigns = z
  .array(z.object({ campaignId: z.string(), name: z.string() }))
  .describe('The campaigns that it is about and whose names the console knows');
/** A scope of a stop is an id. */
export const ScopeName = z
  .string()
  .nullable()
  .describe('The title of the play or the name of the account that the scope names, if the console knows one');
