import { Instant, Uuid } from '@countersign/contracts';
import { Documented, Refused } from '@countersign/runtime';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { PeopleAnswer, PersonActionsAnswer, PersonAnswer } from '../core/people.answers.js';
import { problem } from '../core/problem.js';
import { Limit } from './limit.js';
import { PathId } from './path-id.js';
import { PeopleStore, type Place } from './people.repository.js';

/** The time and the id of the last row of the page before. */
const Cursor = z
  .string()
  .max(100)
  .transform((text, context): Place => {
    const [at = '', id = ''] = text.split('~');
    if (Instant.safeParse(at).success && Uuid.safeParse(id).success) return { at, id };
    context.addIssue({ code: 'custom', message: 'the `next` of the page before' });
    return z.NEVER;
  });
const Search = z.object({
  /** An account's id, or the beginning of its name; or a role, such as `CFO`, with or without `of` an account. */
  account: z.string().trim().min(1).max(200).optional(),
  contact: Uuid.optional(),
  cursor: Cursor.optional(),
  limit: Limit,
});
const Page = z.object({ cursor: Cursor.optional(), limit: Limit });

const nextOf = <T>(found: readonly T[], limit: number, place: (row: T) => Place): string | null => {
  const last = found.length > limit ? found[limit - 1] : undefined;
  return last === undefined ? null : `${place(last).at}~${place(last).id}`;
};

/** People, as far as the console knows them: without names and addresses. */
@Controller('v1/people')
export class People {
  constructor(@Inject(PeopleStore) private readonly store: PeopleStore) {}

  @Get()
  @Documented({
    summary: 'People by account, role or contact id, whoever changed last first',
    answers: { 200: PeopleAnswer },
  })
  async search(@Query({ schema: Search }) { account, contact, cursor, limit }: z.infer<typeof Search>) {
    if (contact !== undefined) {
      const found = await this.store.summaryOf(contact);
      return { people: found ? [found] : [], next: null, incomplete: false };
    }
    const { people, incomplete } = await this.store.search(account, cursor, limit + 1);
    return {
      people: people.slice(0, limit).map(({ changedAt: _, ...person }) => person),
      next: nextOf(people, limit, ({ changedAt, contactId }) => ({ at: changedAt, id: contactId })),
      incomplete,
    };
  }

  @Get(':contactId')
  @Documented({ summary: 'One person with their consents', answers: { 200: PersonAnswer }, problems: [404] })
  async show(@Param('contactId', { schema: PathId }) contactId: string) {
    const found = Uuid.safeParse(contactId).success ? await this.store.find(contactId) : undefined;
    if (found) return found;
    throw noSuchPerson(contactId);
  }

  /** What reached the person, what was refused on the way, and why. */
  @Get(':contactId/actions')
  @Documented({
    summary: 'The actions that name a person and what became of them, the latest first',
    answers: { 200: PersonActionsAnswer },
    problems: [404],
  })
  async actions(
    @Param('contactId', { schema: PathId }) contactId: string,
    @Query({ schema: Page }) { cursor, limit }: z.infer<typeof Page>,
  ) {
    if (!Uuid.safeParse(contactId).success) throw noSuchPerson(contactId);
    const found = await this.store.actions(contactId, cursor, limit + 1);
    return {
      actions: found.slice(0, limit),
      next: nextOf(found, limit, ({ at, actionId }) => ({ at, id: actionId })),
    };
  }
}

export const noSuchPerson = (contactId: string): Refused =>
  new Refused(
    problem(
      404,
      'No such person',
      `no signal has told of a contact ${contactId}; look for the account with GET /v1/people?account=`,
    ),
  );
