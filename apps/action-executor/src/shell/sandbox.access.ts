import { type Access, oneToken } from '@countersign/runtime';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from './settings.js';

/**
 * The demo systems' pages change campaigns without a permit, so they are off unless the operator gives them a token, and open to
 * nobody without it.
 */
@Injectable()
export class SandboxAccess implements Access {
  readonly realm = 'countersign sandbox';
  readonly identify: Access['identify'];

  constructor(@Inject(SETTINGS) { sandboxToken }: Pick<Settings, 'sandboxToken'>) {
    const what = "the demo systems' pages";
    this.identify = oneToken({
      realm: this.realm,
      sha256: sandboxToken,
      variable: 'SANDBOX_TOKEN_FILE',
      what,
    }).identify;
  }
}

interface Reply {
  status(code: number): Reply;
  header(name: string, value: string): Reply;
  send(body: string): void;
}

const titles: Record<number, string> = { 401: 'Not authorised', 404: 'Not found' };

/** Every refusal as `application/problem+json` (RFC 9457). */
@Catch(HttpException)
export class SandboxProblems implements ExceptionFilter<HttpException> {
  catch(error: HttpException, host: ArgumentsHost): void {
    const status = error.getStatus();
    const reply = host.switchToHttp().getResponse<Reply>();
    if (status === 401) reply.header('www-authenticate', 'Bearer realm="countersign sandbox"');
    const problem = { type: 'about:blank', title: titles[status] ?? error.name, status, detail: error.message };
    reply.status(status).header('content-type', 'application/problem+json').send(JSON.stringify(problem));
  }
}
