import { randomUUID } from 'node:crypto';
import { topics } from '@countersign/contracts';
import { Documented, Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { z } from 'zod';
import type { Person } from '../core/people.js';
import { problem } from '../core/problem.js';
import { SignedOutAnswer } from '../core/session.answers.js';
import { SignOutRequest } from '../core/sign-out.js';
import { type ConsoleRequest, Needs } from './people.access.js';
import { SessionStore } from './sessions.repository.js';
import { PEOPLE } from './settings.js';

/** An operator signs a person out everywhere, at once. */
@Controller('v1/sign-outs')
export class SignOuts {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(PEOPLE) private readonly people: readonly Person[],
  ) {}

  @Post()
  @HttpCode(200)
  @Needs('operator')
  @Documented({
    summary: 'End all sessions of a person now',
    description:
      'No session that this person has works after the answer, and no one-time link that was made for them. It takes away no token, and keeps nobody from signing in again. With newAccount, the account that this person signs in with at the identity provider is released: the next account that signs in by this name takes its place.',
    answers: { 200: SignedOutAnswer },
    problems: [404],
  })
  async signOut(
    @Body({ schema: SignOutRequest }) request: z.infer<typeof SignOutRequest>,
    @Req() { principal }: ConsoleRequest,
  ) {
    const { person, reason, newAccount, seen } = request;
    // A misspelt name would end nothing, while everyone believes that the sign-out was done.
    if (!this.people.some(({ person: named }) => named === person) && !(await this.store.knows(person)))
      throw new Refused(
        problem(404, 'No such person', `nobody called ${person} has a token or was signed in`, 'person'),
      );
    const id = randomUUID();
    const cause = { source: '/countersign/console', id, correlationid: id };
    const done = await this.runtime.transact(cause, async (work) => {
      const ended = await this.store.endAllOf(work.tx, person, work.at);
      const accounts = newAccount ? await this.store.releaseAccountsOf(work.tx, person) : 0;
      const known = { ...(newAccount && { newAccount }), ...(seen && { seen }) };
      const data = { person, reason, ...known, by: principal.person, at: work.at };
      work.emit(cause, topics.sessionsEnded, { key: person, subject: person, data });
      return { person, ...ended, accounts, at: work.at };
    });
    if (done.repeated) throw new Error('an id of ours was used before');
    return done.result;
  }
}
