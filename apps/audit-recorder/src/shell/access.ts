import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  ForbiddenException,
  HttpException,
  Inject,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { accessOf } from '../core/auditors.js';
import { SETTINGS, type Settings } from './settings.js';

/** Lets auditors in, by bearer token. */
@Injectable()
export class AuditorsOnly implements CanActivate {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    const access = accessOf(this.settings.auditors, headers.authorization);
    switch (access) {
      case 'granted':
        return true;
      case 'no-token':
        throw new UnauthorizedException('send the header Authorization: Bearer <token>');
      case 'unknown-token':
        throw new UnauthorizedException('this token is not, or no longer, in use here');
      case 'no-auditor':
        throw new ForbiddenException('this token is of somebody who is no auditor');
      default:
        return access satisfies never;
    }
  }
}

interface Reply {
  status(code: number): Reply;
  header(name: string, value: string): Reply;
  send(body: string): void;
}

const titles: Record<number, string> = {
  400: 'Bad request',
  401: 'Not authorised',
  403: 'Not permitted',
  404: 'Not on record',
  409: 'Not signed yet',
};

/** Every refusal as `application/problem+json` (RFC 9457). */
@Catch(HttpException)
export class Problems implements ExceptionFilter<HttpException> {
  catch(error: HttpException, host: ArgumentsHost): void {
    const status = error.getStatus();
    const reply = host.switchToHttp().getResponse<Reply>();
    if (status === 401) reply.header('www-authenticate', 'Bearer realm="countersign"');
    const { field, title } = (error.cause ?? {}) as { field?: string; title?: string };
    const problem = {
      type: 'about:blank',
      title: title ?? titles[status] ?? error.name,
      status,
      detail: error.message,
      ...(field !== undefined && { field }),
    };
    reply.status(status).header('content-type', 'application/problem+json').send(JSON.stringify(problem));
  }
}
