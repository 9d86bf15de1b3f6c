import { Documented, type HttpReply, Refused } from '@countersign/runtime';
import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { problem } from '../core/problem.js';
import { LiveChanges, mostEach } from './live.service.js';
import type { ConsoleRequest } from './people.access.js';

/** The most bytes that a client may leave unread before its stream is closed. */
const mostWaiting = 65_536;

/** The stream of changes. */
@Controller('v1')
export class Live {
  constructor(@Inject(LiveChanges) private readonly changes: LiveChanges) {}

  @Get('live')
  @Documented({
    summary: 'What changes, as it happens',
    description:
      'Server-sent events: alive every 5 s with at; changed with at and parts, the parts of the pages to read again; ended when the session is over. Listening does not keep a session from ending.',
    answers: { 200: { media: 'text/event-stream' } },
    problems: [429],
  })
  live(@Req() { principal, method }: ConsoleRequest & { readonly method: string }, @Res() reply: HttpReply): void {
    reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no').type('text/event-stream');
    if (method === 'HEAD') return void reply.send('');
    const { raw } = reply;
    const headers = reply.getHeaders();
    let begun = false;
    const leave = this.changes.listen({
      person: principal.person,
      held: principal.held,
      send: (text) => {
        if (!begun) {
          begun = true;
          reply.hijack();
          raw.writeHead(200, headers as Record<string, string>);
        }
        if (raw.writableLength > mostWaiting) raw.destroy();
        else raw.write(text);
      },
      close: () => raw.end(),
    });
    if (!leave) {
      const detail = `you have ${mostEach} windows open that follow what happens; close some of them`;
      throw new Refused({ ...problem(429, 'Too many windows', detail), retryAfter: 30 });
    }
    raw.once('close', leave);
    // If the client left while the session was looked up, its connection is closed already, and gives no second close event.
    if (raw.destroyed) leave();
  }
}
