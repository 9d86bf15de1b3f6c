import { type Access, bearerToken, type Headers, noToken, unknownToken } from '@countersign/runtime';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject, Injectable } from '@nestjs/common';
import { personOf } from '../core/auditors.js';
import { SETTINGS, type Settings } from './settings.js';

/** Knows auditors, and others who have a token of this installation, by bearer token. */
@Injectable()
export class Auditing implements Access {
  readonly realm = 'countersign';

  constructor(@Inject(SETTINGS) private readonly settings: Pick<Settings, 'auditors'>) {}

  identify(headers: Headers): ReturnType<Access['identify']> {
    const token = bearerToken(headers);
    if (token === undefined) return { refusal: noToken };
    const person = personOf(this.settings.auditors, token);
    return person ? { principal: { name: person.person, roles: person.roles } } : { refusal: unknownToken };
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
