import {
  Documented,
  describe,
  type Headers,
  type HttpReply,
  Public,
  RUNTIME,
  type Runtime,
} from '@countersign/runtime';
import { fastifyCookie as cookies } from '@fastify/cookie';
import { Controller, Get, Inject, Logger, Query, Req, Res } from '@nestjs/common';
import { z } from 'zod';
import { nextPage } from '../core/next.js';
import { foreignAccount } from '../core/oidc.js';
import { couldBeSecret, later, linkMs, newSecret, sha256 } from '../core/session.js';
import { IdentityProvider } from './identity-provider.js';
import { provenance } from './people.access.js';
import { SessionStore } from './sessions.repository.js';
import { Sessions } from './sessions.service.js';
import { SETTINGS, type Settings } from './settings.js';

const page = { media: 'text/html' };
/** An address that is not one of our pages leads to the first page. No link is refused for it. */
const Begin = z.object({ next: z.string().optional().catch(undefined) });
const limited = { rateLimit: { max: 30, timeWindow: 60_000 } };

interface Request {
  readonly headers: Headers;
  readonly url: string;
}

/** Signing in by the identity provider. The browser comes here directly, so the answers are small pages with our own texts. */
@Controller('v1/sign-in/oidc')
export class OidcPages {
  private readonly log = new Logger('console');
  private readonly cookie: { readonly name: string; readonly secure: boolean };

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(IdentityProvider) private readonly provider: IdentityProvider,
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    const secure = settings.publicUrl.startsWith('https:');
    this.cookie = { secure, name: secure ? '__Host-countersign-attempt' : 'countersign-attempt' };
  }

  @Get()
  @Public(limited)
  @Documented({
    summary: 'Go to the identity provider to sign in',
    answers: { 200: page, 302: page, 404: page, 503: page },
    problems: [429],
  })
  async begin(
    @Query({ schema: Begin }) { next }: z.infer<typeof Begin>,
    @Req() { headers }: Request,
    @Res() reply: HttpReply,
  ): Promise<void> {
    if (!this.settings.oidc) return send(reply, 404, 'No identity provider is set up for this console.');
    const wanted = nextPage(next, this.settings.publicUrl);
    // From another site the browser sends no strict cookie. From this page it does, so it is known which session it had.
    if (provenance(headers).site === 'cross-site')
      return send(reply, 200, 'On the way to your identity provider.', {
        address: `/v1/sign-in/oidc?next=${encodeURIComponent(wanted)}`,
        label: 'Go on to your identity provider',
      });
    const secret = newSecret();
    let address: string;
    try {
      address = await this.provider.begin(secret);
    } catch (error) {
      this.log.warn(`the identity provider does not answer as expected: ${describe(error).code}`);
      return send(reply, 503, 'The identity provider does not answer. Try again in a minute.');
    }
    const until = later(this.runtime.now(), linkMs);
    const [before] = this.sessions.heldIn(headers);
    await this.runtime.write(async (tx) => this.store.storeAttempt(tx, sha256(secret), until, before));
    const value = wanted === '/' ? secret : `${secret}.${encoded(wanted)}`;
    await reply.header('set-cookie', this.header(value, linkMs / 1_000)).redirect(address, 302);
  }

  @Get('callback')
  @Public(limited)
  @Documented({
    summary: 'Come back from the identity provider',
    answers: { 200: page, 401: page, 403: page, 404: page },
    problems: [429],
  })
  async end(@Req() { headers, url }: Request, @Res() reply: HttpReply): Promise<void> {
    if (!this.settings.oidc) return send(reply, 404, 'No identity provider is set up for this console.');
    reply.header('set-cookie', this.header('', 0));
    const { secret, next } = this.attemptOf(headers);
    // Taken first: a sign-out after this moment ends the session too, because the provider may have answered before it knew.
    const at = this.runtime.now();
    // Used up before the provider is asked, so that an attempt works once.
    const attempt =
      secret === undefined
        ? undefined
        : await this.runtime.write((tx) => this.store.useAttempt(tx, sha256(secret), at));
    if (secret === undefined || !attempt) return send(reply, 401, again);
    let found: Awaited<ReturnType<IdentityProvider['end']>>;
    try {
      found = await this.provider.end(secret, url.includes('?') ? url.slice(url.indexOf('?')) : '');
    } catch (error) {
      // Never logs the provider's message: it is not our text.
      this.log.warn(`nobody was signed in by the identity provider: ${describe(error).code}`);
      return send(reply, 401, again);
    }
    if ('refusal' in found) return send(reply, 403, found.refusal);
    const { account, person, roles } = found;
    const grant = { person, roles, grantedBy: null, sessionUntil: null };
    // The browser comes from the provider's site, so it may not send the cookie of the session that it had. The attempt knows it.
    const before = [
      ...this.sessions.heldIn(headers),
      ...(attempt.sessionBefore === null ? [] : [attempt.sessionBefore]),
    ];
    const begun = await this.runtime.write(async (tx) => {
      const refusal = foreignAccount(await this.store.bindAccount(tx, person, account, at), person, account);
      return refusal === undefined ? this.sessions.begin(tx, grant, at, before) : { refusal };
    });
    if ('refusal' in begun) {
      this.log.warn('nobody was signed in by the identity provider: the account and the person do not belong together');
      return send(reply, 403, begun.refusal);
    }
    reply.header('set-cookie', [this.header('', 0), begun.cookie]);
    // A page, not a redirect: after a redirect chain that began at another site, the browser does not send a strict cookie.
    return send(reply, 200, 'You are signed in.', { address: next, label: 'Go on to the console' });
  }

  /** The secret of the attempt, and the page it leads to. Without TLS, others can write the cookie, so the page is checked again. */
  private attemptOf({ cookie }: Headers): { readonly secret: string | undefined; readonly next: string } {
    const value = typeof cookie === 'string' ? (cookies.parse(cookie)[this.cookie.name] ?? '') : '';
    const [secret = '', next = ''] = value.split('.');
    return {
      secret: couldBeSecret(secret) ? secret : undefined,
      next: nextPage(Buffer.from(next, 'base64url').toString('latin1'), this.settings.publicUrl),
    };
  }

  /**
   * Lax: the browser must send the cookie when it comes from the provider. The cookie alone gives no access. It is for this host only: a
   * neighbouring host that could set its own attempt would sign the browser in as another person.
   */
  private header(value: string, maxAge: number): string {
    const { name, secure } = this.cookie;
    return cookies.serialize(name, value, { httpOnly: true, sameSite: 'lax', path: '/', secure, maxAge });
  }
}

const again = 'You were not signed in: this attempt is over, or the identity provider refused it. Begin again.';

/** An address has only ASCII; other characters are percent-encoded in it. */
const encoded = (address: string): string => Buffer.from(address, 'latin1').toString('base64url');

const inHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

interface Onward {
  readonly address: string;
  readonly label: string;
}

async function send(reply: HttpReply, status: number, words: string, onward?: Onward): Promise<void> {
  const address = inHtml(onward?.address ?? '/sign-in');
  const label = onward?.label ?? 'Sign in';
  const forward = onward === undefined ? '' : `<meta http-equiv="refresh" content="0;url=${address}">`;
  await reply
    .code(status)
    .type('text/html; charset=utf-8')
    .send(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">${forward}<title>Countersign: sign in</title></head><body><main><h1>Sign in</h1><p>${inHtml(words)}</p><p><a href="${address}">${label}</a></p></main></body></html>`,
    );
}
