import { Refused } from '@countersign/runtime';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { changesSomething } from '../core/session.js';
import { type ConsoleRequest, ended } from './people.access.js';
import { Sessions } from './sessions.service.js';

/**
 * Checks that a caller's session still exists when the body of the request has arrived. The session was looked up before the body was
 * read, and a client may take half a minute to send a body: time enough for a sign-out.
 */
@Injectable()
export class StillSignedIn implements CanActivate {
  constructor(@Inject(Sessions) private readonly sessions: Sessions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<Partial<ConsoleRequest> & { readonly method: string }>();
    const held = request.principal?.held;
    if (!held || !changesSomething(request.method)) return true;
    if (!(await this.sessions.of(held.token))) throw new Refused(ended);
    return true;
  }
}
