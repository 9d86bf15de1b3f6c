import { Documented, type Headers, type HttpReply, Public, Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { problem } from '../core/problem.js';
import { LinkAnswer, SessionAnswer, SignInAnswer } from '../core/session.answers.js';
import { couldBeSecret, csrfTokenOf, isForeign, later, linkMs, newSecret, sha256 } from '../core/session.js';
import type { Guess } from './http.js';
import { LiveChanges } from './live.service.js';
import { type ConsoleRequest, provenance } from './people.access.js';
import { SessionStore } from './sessions.repository.js';
import { type Held, Sessions } from './sessions.service.js';
import { SETTINGS, type Settings } from './settings.js';

/** How many links one person may ask for. */
const linksEach = {
  max: 30,
  timeWindow: 60_000,
  keyGenerator: ({ principal }: Partial<ConsoleRequest>): string => `links of ${principal?.person}`,
};

const Code = z.strictObject({ code: z.string().min(1).max(100) });

/** Signing in and out. */
@Controller('v1')
export class SessionPages {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(LiveChanges) private readonly live: LiveChanges,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Get('sign-in')
  @Public()
  @Documented({ summary: 'Which ways there are to sign in', answers: { 200: SignInAnswer } })
  ways() {
    const { oidc } = this.settings;
    return { link: true, oidc: oidc ? { name: oidc.name, url: '/v1/sign-in/oidc' } : null };
  }

  /** A link for the same person and the same roles as the caller. */
  @Post('sign-in/links')
  @HttpCode(201)
  @RouteConfig({ rateLimit: linksEach })
  @Documented({
    summary: 'Make a link that signs a browser in, once, within ten minutes',
    answers: { 201: LinkAnswer },
  })
  async link(@Req() { principal }: ConsoleRequest) {
    const code = newSecret();
    const { person, roles, grantedBy, held } = principal;
    const expiresAt = later(this.runtime.now(), linkMs);
    const sessionUntil = held?.session.expiresAt ?? null;
    const ofSession = held?.session.tokenSha256 ?? null;
    const link = { codeSha256: sha256(code), person, roles, grantedBy, sessionUntil, ofSession, expiresAt };
    await this.runtime.write(async (tx) => this.store.storeLink(tx, link));
    // The code is after the #, which no browser sends, so it is in no log.
    return { url: `${this.settings.publicUrl}/sign-in#code=${code}`, expiresAt };
  }

  @Post('session')
  @HttpCode(201)
  // The code cannot be guessed; attempts are limited all the same.
  @Public({ rateLimit: { max: 10, timeWindow: 60_000 } })
  @Documented({
    summary: 'Sign in with the code of a one-time link',
    answers: { 201: SessionAnswer },
    problems: [401, 403, 429],
  })
  async signIn(
    @Body({ schema: Code }) { code }: z.infer<typeof Code>,
    @Req() request: { readonly headers: Headers; readonly server: { readonly guess: Guess } },
    @Res({ passthrough: true }) reply: HttpReply,
  ) {
    const { headers, server } = request;
    // Otherwise another site could sign a browser in as a different person, who then sees what the user of that browser does.
    if (isForeign(provenance(headers), this.settings.publicUrl))
      throw new Refused(
        problem(403, 'Not from this page', 'this request comes from another site; nobody was signed in'),
      );
    if (!couldBeSecret(code) || !(await this.store.works(sha256(code)))) {
      const retryAfter = await server.guess(request);
      throw new Refused(retryAfter === undefined ? unusable : { ...tooMany, retryAfter });
    }
    const at = this.runtime.now();
    const { cookie, held } = await this.runtime.write(async (tx) => {
      const grant = await this.store.useLink(tx, sha256(code), at);
      if (!grant) throw new Refused(unusable);
      return this.sessions.begin(tx, grant, at, this.sessions.heldIn(headers));
    });
    reply.header('set-cookie', cookie);
    return shown(held);
  }

  @Get('session')
  @Documented({
    summary: 'Who is signed in',
    credentials: ['session'],
    answers: { 200: SessionAnswer },
    problems: [404],
  })
  session(@Req() { principal }: ConsoleRequest) {
    return shown(heldBy(principal));
  }

  @Delete('session')
  @HttpCode(204)
  @Documented({ summary: 'Sign out', credentials: ['session'], answers: { 204: null }, problems: [404] })
  async signOut(@Req() { principal }: ConsoleRequest, @Res({ passthrough: true }) reply: HttpReply): Promise<void> {
    const { session } = heldBy(principal);
    reply.header('set-cookie', await this.sessions.end(session));
    this.live.ended(session.tokenSha256);
  }
}

const unusable = problem(
  401,
  'Link not usable',
  'this link was used before or is too old; ask for a new one with npx countersign sign-in',
);

const tooMany = problem(429, 'Too many requests', 'too many try codes that do not work; use a new link, or wait');

function heldBy({ held }: ConsoleRequest['principal']): Held {
  if (!held) throw new Refused(problem(404, 'No session', 'this request has a token and no session'));
  return held;
}

const shown = ({ session, token }: Held) => ({
  person: session.person,
  roles: session.roles,
  csrfToken: csrfTokenOf(token),
  signedInAt: session.createdAt,
  expiresAt: session.expiresAt,
  // The provider mostly answers without asking the person: it knows the browser.
  renewal: session.grantedBy === null ? '/v1/sign-in/oidc' : null,
});
