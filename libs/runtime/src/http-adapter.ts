import { decode, mediaType, refuseTooDeep } from '@countersign/contracts';
import { BadRequestException } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';

/**
 * The HTTP side of a service. A JSON body is read in the charset of its content type; one that is not in it is answered 400, since
 * Fastify's own parser would put U+FFFD in place of what somebody wrote.
 */
export function httpAdapter(options: { bodyLimit?: number; forceCloseConnections?: 'idle' } = {}): FastifyAdapter {
  const adapter: FastifyAdapter = new FastifyAdapter(options);
  const json = adapter.getInstance().getDefaultJsonParser('error', 'error');
  const { bodyLimit } = adapter.getInstance().initialConfig;
  adapter.useBodyParser(
    'application/json',
    false,
    { ...(bodyLimit !== undefined && { bodyLimit }) },
    (request, body, done) => {
      const charset = mediaType(request.headers['content-type'] ?? '')?.charset;
      const text = decode(body as Buffer, charset);
      if (!text.ok) return done(new BadRequestException(`the body: ${text.fault.says}`), undefined);
      try {
        refuseTooDeep(text.text);
      } catch (error) {
        return done(new BadRequestException(`the body is ${(error as Error).message}`), undefined);
      }
      return json(request as Parameters<typeof json>[0], text.text, done);
    },
  );
  return adapter;
}
