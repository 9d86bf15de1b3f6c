import type { Action } from '@countersign/contracts';
import type { ApprovedAction } from '@countersign/gate';
import { type Answer, type Found, NotWritten, type Unknown } from '../../core/answer.js';
import { actionBody, answeredBy, foundBy } from '../../core/sandbox.js';
import type { Connector } from '../connector.js';
import type { SandboxSettings } from '../settings.js';
import { codeOrName, Receiver } from './receiver.js';

/** The way to one of the sandbox systems, a process of its own (`apps/sandbox-systems`). */
export class Sandbox implements Connector {
  readonly timeoutMs = 5_000;
  /** Each system has its own receiver: a system that holds its connections takes none from the others. */
  private readonly receiver = new Receiver(32);
  private readonly headers: Readonly<Record<string, string>>;
  private readonly url: string;

  constructor(
    readonly name: 'ads' | 'mailer' | 'crm',
    { url, token }: SandboxSettings,
    /** Makes the body for an action. The same action may have another body later, under the same key. */
    private readonly bodyOf: (action: Action) => string | Promise<string> = actionBody,
  ) {
    this.url = `${url}/${name}/calls/`;
    this.headers = { authorization: `Bearer ${token}` };
  }

  async call({ action }: ApprovedAction, key: string, signal: AbortSignal): Promise<Answer | Unknown> {
    const body = await this.written(action);
    const to = { url: this.url + encodeURIComponent(key), method: 'PUT', headers: this.headers, body } as const;
    const { status, text } = await this.receiver.send(to, signal);
    return answeredBy(status, text);
  }

  /** A body that cannot be written is not sent, whatever the cause: for example another key, or an unavailable database. */
  private async written(action: Action): Promise<string> {
    try {
      return await this.bodyOf(action);
    } catch (error) {
      if (error instanceof NotWritten) throw error;
      throw new NotWritten(`what is sent could not be written (${codeOrName(error)})`);
    }
  }

  async find(key: string, signal: AbortSignal): Promise<Found> {
    const to = { url: this.url + encodeURIComponent(key), method: 'GET', headers: this.headers } as const;
    const { status, text } = await this.receiver.send(to, signal);
    return foundBy(status, text);
  }
}

/** The connectors to all sandbox systems; `mail` writes the body for the mailer. */
export const sandboxes = (
  settings: SandboxSettings,
  mail: { bodyOf(action: Action): Promise<string> },
): readonly Sandbox[] => [
  new Sandbox('ads', settings),
  new Sandbox('mailer', settings, (action) => mail.bodyOf(action)),
  new Sandbox('crm', settings),
];
