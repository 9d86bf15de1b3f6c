import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  HttpException,
  Inject,
  Injectable,
  NotFoundException,
  UnauthorizedException,
} from '@nestjs/common';
import { SETTINGS, type Settings } from './settings.js';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * The demo systems' pages change campaigns without a permit, so they are off unless the operator gives them a token, and open to
 * nobody without it.
 */
@Injectable()
export class SandboxAccess implements CanActivate {
  constructor(@Inject(SETTINGS) private readonly settings: Pick<Settings, 'sandboxToken'>) {}

  canActivate(context: ExecutionContext): boolean {
    const { sandboxToken } = this.settings;
    if (sandboxToken === undefined)
      throw new NotFoundException("the demo systems' pages are off here; SANDBOX_TOKEN_FILE switches them on");
    const { headers } = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    if (token === undefined) throw new UnauthorizedException('send the header Authorization: Bearer <token>');
    if (!timingSafeEqual(sha256(token), Buffer.from(sandboxToken, 'hex')))
      throw new UnauthorizedException('this token is not, or no longer, in use here');
    return true;
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
