import type { Env, HttpServer } from '@countersign/runtime';
import cookies from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import files from '@fastify/static';
import { Logger } from '@nestjs/common';
import type { ConsoleRequest } from './people.access.js';
import { readSettings, type Settings } from './settings.js';

/** Of all addresses together: whoever tries codes that are none is turned away. A code that works is not counted, so nobody keeps others out. */
const everybody = { max: 120, timeWindow: 60_000 };

/** Of one person: each dry run stays on the record. Who writes an edit asks once in a few seconds. */
const dryRunsOfOne = { max: 60, timeWindow: 60_000 };

/** Counts a code that does not work; where these are too many, resolves to the seconds until they are not. */
export type Guess = (request: object) => Promise<number | undefined>;

/** Counts a dry run that a person asks for; where these are too many, resolves to the seconds until they are not. */
export type CountDryRun = (request: ConsoleRequest) => Promise<number | undefined>;

/** What a browser may load: of the console alone, beside proofs of the record, and no script or style that the server did not write or name by a nonce. */
export const contentPolicy = ({ recordUrl }: Pick<Settings, 'recordUrl'>, nonce?: string) => {
  const own = nonce === undefined ? ["'self'"] : ["'self'", `'nonce-${nonce}'`];
  return {
    defaultSrc: ["'none'"],
    scriptSrc: own,
    styleSrc: own,
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'", ...(recordUrl === undefined ? [] : [recordUrl])],
    fontSrc: ["'self'"],
    manifestSrc: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
  };
};

/** The console's part of Fastify: headers that browsers heed, a limit on signing in, files of the pages. */
export async function http(server: HttpServer, env: Env): Promise<void> {
  const settings = readSettings(env);
  const { pagesDir, publicUrl, trustedProxies } = settings;
  // It reads and writes none by itself: who asks is known before the hooks of plugins. Before this its functions do not work.
  await server.register(cookies, { hook: false });
  await server.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: contentPolicy(settings) },
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
    // Over plain HTTP a browser ignores it.
    strictTransportSecurity: publicUrl.startsWith('https:'),
  });
  if (trustedProxies.length === 0) warnOfProxy(server);
  await server.register(rateLimit, { global: false });
  const ofEverybody = server.createRateLimit({ ...everybody, keyGenerator: () => 'everybody' });
  const guess: Guess = async (request) => {
    const limit = await ofEverybody(request as Parameters<typeof ofEverybody>[0]);
    return limit.isAllowed || !limit.isExceeded ? undefined : limit.ttlInSeconds;
  };
  server.decorate('guess', guess);
  const dryRunsOf = server.createRateLimit({
    ...dryRunsOfOne,
    keyGenerator: (request) => (request as unknown as ConsoleRequest).principal.person,
  });
  const countDryRun: CountDryRun = async (request) => {
    const limit = await dryRunsOf(request as unknown as Parameters<typeof dryRunsOf>[0]);
    return limit.isAllowed || !limit.isExceeded ? undefined : limit.ttlInSeconds;
  };
  server.decorate('countDryRun', countDryRun);
  // Only `reply.sendFile`: which file it is, the route says. The build has put them there compressed too.
  await server.register(files, {
    root: pagesDir,
    serve: false,
    cacheControl: false,
    dotfiles: 'ignore',
    preCompressed: true,
  });
}

/** Says once that a proxy is before the console that nobody named. Anybody can write such a header, so it is no more than a hint. */
function warnOfProxy(server: HttpServer): void {
  let warned = false;
  server.addHook('onRequest', async ({ headers }) => {
    if (warned || (headers['x-forwarded-for'] === undefined && headers.forwarded === undefined)) return;
    warned = true;
    new Logger('console').warn(
      'a request came through a proxy, and TRUSTED_PROXIES names none: all people behind it share one limit of sign-ins, which one of them can use up. Write the addresses of the proxy into TRUSTED_PROXIES',
    );
  });
}
