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
  readonly text: string;
}

/** Posts JSON and follows no redirect. The answer is read up to a limit, and its text is never shown. */
export async function post(
  url: string,
  body: string,
  headers: Record<string, string> = {},
  withinMs = timeoutMs,
): Promise<Answered> {
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    signal: AbortSignal.timeout(withinMs),
    headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'countersign', ...headers },
    body,
  });
  const bytes = await wholeBody(response.body as AsyncIterable<Uint8Array> | null, mostAnswer);
  const seconds = Number(response.headers.get('retry-after') ?? 0);
  return {
    status: response.status,
    retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0,
    text: new TextDecoder().decode(bytes),
  };
}

async function delivered(name: string, ask: () => Promise<Answered>, read = byStatus): Promise<Delivery> {
  try {
    return read(name, await ask());
  } catch (error) {
    return { outcome: 'later', words: `${name} could not be reached (${codeOf(error)})` };
  }
}

function byStatus(name: string, { status, retryAfterMs }: Answered): Delivery {
  if (status >= 200 && status < 300) return { outcome: 'sent' };
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

/** `chat.postMessage` answers 200 in every case. */
function bySlack(name: string, answered: Answered): Delivery {
  const http = byStatus(name, answered);
  if (http.outcome !== 'sent') return http;
  let error = 'unreadable';
  try {
    const read: { ok?: unknown; error?: unknown } = JSON.parse(answered.text);
    if (read.ok === true) return http;
    if (typeof read.error === 'string' && /^[a-z_]{1,60}$/.test(read.error)) error = read.error;
  } catch {
    return { outcome: 'later', words: `${name} gave no answer that can be read` };
  }
  return passing.includes(error)
    ? { outcome: 'later', words: `${name} does not take it now (${error})` }
    : { outcome: 'refused', words: `${name} refused it for good (${error})` };
}

export function sendSlack(channel: ChannelOf<'slack'>, conversation: string | undefined, message: Message) {
  const body = slackBody(message, channel.buttons);
  const { send } = channel;
  if ('webhook' in send) return delivered('Slack', () => post(send.webhook, JSON.stringify(body)));
  const metadata = { event_type: 'countersign_notification', event_payload: { id: message.id } };
  return delivered(
    'Slack',
    () =>
      post(`${send.api}/chat.postMessage`, JSON.stringify({ channel: conversation, ...body, metadata }), {
        authorization: `Bearer ${send.token}`,
      }),
    bySlack,
  );
}

export const sendTeams = (channel: ChannelOf<'teams'>, message: Message): Promise<Delivery> =>
  delivered('Microsoft Teams', () => post(channel.webhook, JSON.stringify(teamsBody(message))));

/** As Standard Webhooks require, `webhook-id` is the same at each try, so that a receiver can drop a repeat. */
export function sendWebhook(channel: ChannelOf<'webhook'>, message: Message, madeAt: string, now: string) {
  const body = JSON.stringify(webhookBody(message, madeAt));
  const at = new Date(now);
  const headers = {
    'webhook-id': message.id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(channel.secret).sign(message.id, at, body),
  };
  return delivered('the webhook', () => post(channel.url, body, headers));
}
