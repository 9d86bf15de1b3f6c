import { randomUUID } from 'node:crypto';
import { topics, Uuid } from '@countersign/contracts';
import { type Batch, Consumes, Documented, Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { z } from 'zod';
import { Cursor, paged } from '../core/cursor.js';
import { RevealAnswer, RevealAskedAnswer, RevealsAnswer } from '../core/people.answers.js';
import { problem } from '../core/problem.js';
import { RevealRequest, requestIdOf, revealMs, tooManyReveals } from '../core/reveal.js';
import { later } from '../core/session.js';
import { forgetJob } from './forget-reveal.job.js';
import { Limit } from './limit.js';
import { PathId } from './path-id.js';
import { type Caller, type ConsoleRequest, Needs } from './people.access.js';
import { noSuchPerson } from './people.controller.js';
import { PeopleStore } from './people.repository.js';
import { RevealsStore } from './reveals.repository.js';
import { SETTINGS, type Settings } from './settings.js';

const Page = z.object({ cursor: Cursor.optional(), limit: Limit });

/** A contact's name and address: requested with a purpose, on the record, and answered only to the browser or command that asked. */
@Controller('v1/people')
export class Reveals {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(PeopleStore) private readonly people: PeopleStore,
    @Inject(RevealsStore) private readonly store: RevealsStore,
  ) {}

  @Get(':contactId/reveals')
  @Documented({
    summary: 'Who asked who a person is, and why, the latest first',
    answers: { 200: RevealsAnswer },
    problems: [404],
  })
  async list(
    @Param('contactId', { schema: PathId }) contactId: string,
    @Query({ schema: Page }) { cursor, limit }: z.infer<typeof Page>,
  ) {
    if (!Uuid.safeParse(contactId).success) throw noSuchPerson(contactId);
    const found = await this.store.list(contactId, cursor, limit + 1, this.runtime.now());
    const { page, next } = paged(found, limit, ({ requestId, reveal }) => `${reveal.at},${requestId}`);
    return { reveals: page.map(({ reveal }) => reveal), next };
  }

  /** The answer comes from signal-ingestion, sealed to `publicKey`: neither the console nor a topic has it in readable form. */
  @Post(':contactId/reveals')
  @HttpCode(202)
  @Needs('privacy-officer')
  @Documented({
    summary: 'Ask for the name or the address of a person',
    description:
      'The request goes on the record before anything is answered. Its private key never leaves whoever asks.',
    answers: { 202: RevealAskedAnswer },
    problems: [404, 429],
  })
  async ask(
    @Param('contactId', { schema: PathId }) contactId: string,
    @Body({ schema: RevealRequest }) request: z.infer<typeof RevealRequest>,
    @Req() { principal }: ConsoleRequest,
  ) {
    const known = Uuid.safeParse(contactId).success ? await this.people.find(contactId) : undefined;
    if (!known) throw noSuchPerson(contactId);
    const revealId = randomUUID();
    const cause = { source: '/countersign/console', id: revealId, correlationid: revealId };
    const most = this.settings.revealsPerHour;
    const done = await this.runtime.transact(cause, async (work) => {
      const { at } = work;
      const again = await this.store.mayAskAgainAt(work.tx, principal.person, most, at);
      if (again !== undefined) throw new Refused(tooManyReveals(principal.person, most, again, at));
      const expiresAt = later(at, revealMs);
      const data = { revealId, contactId: known.contactId, ...request, by: principal.person, at, expiresAt };
      const eventId = work.emit(cause, topics.revealsRequested, { key: known.contactId, subject: revealId, data });
      this.store.ask(work.tx, { ...data, requestId: requestIdOf(eventId) }, askerOf(principal));
      work.schedule(cause, forgetJob(revealId, expiresAt));
      return expiresAt;
    });
    if (done.repeated) throw new TypeError('an id that was made at random was there before');
    return { revealId, expiresAt: done.result };
  }

  @Get(':contactId/reveals/:revealId')
  @Needs('privacy-officer')
  @Documented({
    summary: 'The answer to a request, for the session or the token that asked',
    answers: { 200: RevealAnswer },
    problems: [404],
  })
  async show(
    @Param('contactId', { schema: PathId }) contactId: string,
    @Param('revealId', { schema: PathId }) revealId: string,
    @Req() { principal }: ConsoleRequest,
  ) {
    const areIds = Uuid.safeParse(contactId).success && Uuid.safeParse(revealId).success;
    const found = areIds ? await this.store.find(contactId, revealId, this.runtime.now()) : undefined;
    if (!found) throw noSuchReveal(contactId, revealId);
    const { reveal, sealed } = found;
    if (sealed && sealed.askerSha256 !== askerOf(principal)) throw new Refused(notYours);
    return { ...reveal, jwe: sealed?.jwe ?? null };
  }

  @Consumes(topics.revealsSealed)
  async onSealed(@Payload() batch: Batch<'RevealSealed'>): Promise<void> {
    this.store.sealed(
      batch.tx,
      batch.events.map(({ event }) => event.data),
      batch.at,
    );
  }
}

/**
 * SHA-256 of the session's token, or of a person's own token: only this session or token gets the answer, and the same person elsewhere
 * does not.
 */
function askerOf({ held, grantedBy }: Caller): string {
  const sha256 = held?.session.tokenSha256 ?? grantedBy;
  if (sha256 === null) throw new TypeError('who asks has a session or a token');
  return sha256;
}

const notYours = problem(
  403,
  'Asked by another session',
  'the answer is for the session or the token that asked, and only that can open it: ask yourself, with your own purpose',
);

const noSuchReveal = (contactId: string, revealId: string): Refused =>
  new Refused(
    problem(
      404,
      'No such reveal',
      `nobody asked under ${revealId} who contact ${contactId} is; see GET /v1/people/${contactId}/reveals`,
    ),
  );
