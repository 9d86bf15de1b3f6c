import type { Env, HttpServer } from '@countersign/runtime';
import { readSettings } from './settings.js';

/** Declares which pages' scripts may use the secret of a pass here, also on a refusal: the page shows its reader the reason. */
export async function http(server: HttpServer, env: Env): Promise<void> {
  const { readers } = readSettings(env);
  server.addHook('onSend', async ({ url, headers: { origin } }, reply, payload) => {
    if (!url.startsWith('/v1/passes/')) return payload;
    reply.header('vary', 'Origin');
    if (typeof origin === 'string' && readers.includes(origin))
      reply.headers({
        'access-control-allow-origin': origin,
        'access-control-allow-headers': 'authorization',
        'access-control-allow-methods': 'GET',
        'access-control-max-age': '600',
      });
    return payload;
  });
}
