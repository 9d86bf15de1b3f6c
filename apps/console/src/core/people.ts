import { createHash, timingSafeEqual } from 'node:crypto';
import { Name, Sha256 } from '@countersign/contracts';
import { z } from 'zod';

/** viewer: reads. reviewer: answers escalations. operator: stops and resumes. publisher: publishes policy. auditor: reads, for the record's sake. */
export const Role = z.enum(['viewer', 'reviewer', 'operator', 'auditor', 'publisher']);
export type Role = z.infer<typeof Role>;

/** Whoever may use the console. The token itself is not kept, only its SHA-256. */
export const Person = z.strictObject({ sha256: Sha256, person: Name, roles: z.array(Role).min(1) });
export type Person = z.infer<typeof Person>;
export const People = z.array(Person).min(1);

/** Whose token this is. Every entry is compared, in constant time, so the time taken tells nothing of any. */
export function personOf(people: readonly Person[], token: string): Person | undefined {
  const given = createHash('sha256').update(token).digest();
  let found: Person | undefined;
  for (const person of people) {
    if (timingSafeEqual(given, Buffer.from(person.sha256, 'hex'))) found = person;
  }
  return found;
}

/** The token of an `Authorization: Bearer …` header. */
export const bearer = (header: string | undefined): string | undefined =>
  /^Bearer +([\x21-\x7e]+)$/i.exec(header ?? '')?.[1];
