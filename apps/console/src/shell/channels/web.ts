import { wholeBody } from '@countersign/contracts';
import { Webhook } from 'standardwebhooks';
import { type Message, slackBody, teamsBody, webhookBody } from '../../core/message.js';
import type { OpenChannel } from '../notifying.js';
import { codeOf, type Delivery } from './delivery.js';

type ChannelOf<K extends OpenChannel['kind']> = Extract<OpenChannel, { kind: K }>;

const timeoutMs = 10_000;
const mostAnswer = 65_536;

interface Answered {
  readonly status: number;
  readonly retryAfterMs: number;
  /** The body, up to a limit. Never shown. */
  readonly body: () => Promise<string>;
}

/**
 * Posts JSON and follows no redirect. The status says whether it was taken, so `read` gets the answer as soon as its headers have come. A
 * body that `read` does not ask for is not waited for.
 */
export async function post<T>(
  url: string,
  body: string,
  read: (answered: Answered) => T | Promise<T>,
  headers: Record<string, string> = {},
  withinMs = timeoutMs,
): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    signal: AbortSignal.timeout(withinMs),
    headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'countersign', ...headers },
    body,
  });
  const seconds = Number(response.headers.get('retry-after') ?? 0);
  try {
    return await read({
      status: response.status,
      retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0,
      body: async () => {
        const bytes = await wholeBody(response.body as AsyncIterable<Uint8Array> | null, mostAnswer);
        return new TextDecoder().decode(bytes);
      },
    });
  } finally {
    // What the other side still sends, and whether it ends well, is of no interest.
    if (!response.bodyUsed) response.body?.cancel().catch(() => undefined);
  }
}

type Read = (name: string, answered: Answered) => Delivery | Promise<Delivery>;

async function delivered(
  name: string,
  ask: (read: (answered: Answered) => Promise<Delivery>) => Promise<Delivery>,
  read: Read = byStatus,
): Promise<Delivery> {
  try {
    return await ask(async (answered) => read(name, answered));
  } catch (error) {
    return { outcome: 'later', words: `${name} could not be reached (${codeOf(error)})` };
  }
}

/** An operator can mend the file with the credential, or with the address that is one. Until then the message waits. */
const notAllowed = [401, 403, 404, 407];

function byStatus(name: string, { status, retryAfterMs }: Pick<Answered, 'status' | 'retryAfterMs'>): Delivery {
  if (status >= 200 && status < 300) return { outcome: 'sent' };
  if (notAllowed.includes(status))
    return { outcome: 'later', words: `${name} does not accept the address or the credential (${status})` };
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return { outcome: 'later', words: `${name} does not take it now (${status})`, askedMs: retryAfterMs };
  return { outcome: 'refused', words: `${name} refused it for good (${status})` };
}

/** Slack's error codes for a temporary state. */
const passing = [
  'ratelimited',
  'rate_limited',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
];

/** Slack's error codes for a credential that is wrong, or that may not do this. */
const credential = [
  'access_denied',
  'account_inactive',
  'ekm_access_denied',
  'invalid_auth',
  'missing_scope',
  'no_permission',
  'not_allowed_token_type',
  'not_authed',
  'org_login_required',
  'team_access_not_granted',
  'token_expired',
  'token_revoked',
  'two_factor_setup_required',
];

/** `chat.postMessage` answers 200 in every case. */
async function bySlack(name: string, answered: Answered): Promise<Delivery> {
  const http = byStatus(name, answered);
  if (http.outcome !== 'sent') return http;
  let error = 'unreadable';
  try {
    const read: { ok?: unknown; error?: unknown } = JSON.parse(await answered.body());
    if (read.ok === true) return http;
    if (typeof read.error === 'string' && /^[a-z_]{1,60}$/.test(read.error)) error = read.error;
  } catch {
    return { outcome: 'later', words: `${name} gave no answer that can be read` };
  }
  if (credential.includes(error))
    return { outcome: 'later', words: `${name} does not accept the credential (${error})` };
  return passing.includes(error)
    ? { outcome: 'later', words: `${name} does not take it now (${error})` }
    : { outcome: 'refused', words: `${name} refused it for good (${error})` };
}

export function sendSlack(channel: ChannelOf<'slack'>, conversation: string | undefined, message: Message) {
  const body = slackBody(message, channel.buttons);
  const { send } = channel;
  if ('webhook' in send) return delivered('Slack', (read) => post(send.webhook, JSON.stringify(body), read));
  const metadata = { event_type: 'countersign_notification', event_payload: { id: message.id } };
  return delivered(
    'Slack',
    (read) =>
      post(`${send.api}/chat.postMessage`, JSON.stringify({ channel: conversation, ...body, metadata }), read, {
        authorization: `Bearer ${send.token}`,
      }),
    bySlack,
  );
}

export const sendTeams = (channel: ChannelOf<'teams'>, message: Message): Promise<Delivery> =>
  delivered('Microsoft Teams', (read) => post(channel.webhook, JSON.stringify(teamsBody(message)), read));

/** As Standard Webhooks require, `webhook-id` is the same at each try, so that a receiver can drop a repeat. */
export function sendWebhook(channel: ChannelOf<'webhook'>, message: Message, madeAt: string, now: string) {
  const body = JSON.stringify(webhookBody(message, madeAt));
  const at = new Date(now);
  const headers = {
    'webhook-id': message.id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(channel.secret).sign(message.id, at, body),
  };
  return delivered('the webhook', (read) => post(channel.url, body, read, headers));
}
