import type { Env, HttpServer } from '@countersign/runtime';
import cookies from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import files from '@fastify/static';
import { readSettings, type Settings } from './settings.js';

/** Of all addresses together: what tries to sign in faster than people do is turned away. */
const everybody = { max: 120, timeWindow: 60_000 };

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
  const { pagesDir, publicUrl } = settings;
  // It reads and writes none by itself: who asks is known before the hooks of plugins. Before this its functions do not work.
  await server.register(cookies, { hook: false });
  await server.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: contentPolicy(settings) },
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
    // Over plain HTTP a browser ignores it.
    strictTransportSecurity: publicUrl.startsWith('https:'),
  });
  await server.register(rateLimit, { global: false });
  const ofEverybody = server.createRateLimit({ ...everybody, keyGenerator: () => 'everybody' });
  // After the limit of each address, which is a hook of the route: what that turns away is not counted here, so no address alone uses up
  // what all together may.
  server.addHook('preParsing', async (request, reply, payload) => {
    if (request.method !== 'POST' || request.routeOptions.url !== '/v1/session') return payload;
    const limit = await ofEverybody(request);
    if (limit.isAllowed || !limit.isExceeded) return payload;
    reply.header('retry-after', String(limit.ttlInSeconds));
    throw Object.assign(new Error('too many try to sign in at present'), { statusCode: 429 });
  });
  // Answers are for whoever asked, now.
  server.addHook('onSend', async (_request, reply, payload) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    return payload;
  });
  // Only `reply.sendFile`: which file it is, the route says. The build has put them there compressed too.
  await server.register(files, {
    root: pagesDir,
    serve: false,
    cacheControl: false,
    dotfiles: 'ignore',
    preCompressed: true,
  });
}
