import type { Env, HttpServer } from '@countersign/runtime';
import cookies from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import files from '@fastify/static';
import { Logger } from '@nestjs/common';
import type { ConsoleRequest } from './people.access.js';
import { readSettings, type Settings } from './settings.js';

/** Wrong sign-in codes, from all addresses together. A code that works is not counted, so an attacker cannot keep others out. */
const everybody = { max: 120, timeWindow: 60_000 };

/** Dry runs of one person: each stays on the record. A person who writes an edit asks once in a few seconds. */
const dryRunsOfOne = { max: 60, timeWindow: 60_000 };

/** Counts a code that does not work. If there are too many, resolves to the seconds until another is allowed. */
export type Guess = (request: object) => Promise<number | undefined>;

/** Counts a dry run that a person asks for. If there are too many, resolves to the seconds until another is allowed. */
export type CountDryRun = (request: ConsoleRequest) => Promise<number | undefined>;

/**
 * What a browser may load: only from the console, plus proofs from the record. Scripts and styles must be written by the server or named
 * by a nonce.
 */
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

/** The console's setup of Fastify: security headers, a limit on signing in, and the files of the pages. */
export async function http(server: HttpServer, env: Env): Promise<void> {
  const settings = readSettings(env);
  const { pagesDir, publicUrl, trustedProxies } = settings;
  // The plugin's own hook is off: the caller is identified before the hooks of plugins run. Before this line, cookie functions do not
  // work.
  await server.register(cookies, { hook: false });
  await server.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: contentPolicy(settings) },
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
    // Browsers ignore this header over plain HTTP.
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
  // Only for `reply.sendFile`; the route chooses the file. The build also stores each file compressed.
  await server.register(files, {
    root: pagesDir,
    serve: false,
    cacheControl: false,
    dotfiles: 'ignore',
    preCompressed: true,
  });
}

/** Warns once that a proxy is in front of the console and is not configured. Anyone can send such a header, so it is only a hint. */
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
