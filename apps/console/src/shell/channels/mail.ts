import { createTransport } from 'nodemailer';
import { type Message, mailText, subjectOf } from '../../core/message.js';
import type { OpenChannel } from '../notifying.js';
import { codeOf, type Delivery } from './delivery.js';

type MailChannel = Extract<OpenChannel, { kind: 'email' }>;

const timeoutMs = 15_000;

/** Sends an e-mail. Its Message-ID comes from the message's id and is the same at each try, so that a mailbox can drop a repeat. */
export async function sendMail(channel: MailChannel, to: string, message: Message): Promise<Delivery> {
  const { host, port, tls, login, from } = channel;
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(login && { auth: { user: login.user, pass: login.password } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({
      from: { name: 'Countersign', address: from },
      to: { name: '', address: to },
      subject: subjectOf(message),
      text: mailText(message),
      messageId: messageIdOf(message.id, from),
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Countersign-Message': message.id },
    });
    return { outcome: 'sent' };
  } catch (error) {
    return failure(error);
  } finally {
    transport.close();
  }
}

export const messageIdOf = (id: string, from: string): string => `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`;

function failure(error: unknown): Delivery {
  const { responseCode } = error as { responseCode?: unknown };
  if (typeof responseCode === 'number' && responseCode >= 500)
    return { outcome: 'refused', words: `the mail server refused it for good (${responseCode}): see its log` };
  if (typeof responseCode === 'number')
    return { outcome: 'later', words: `the mail server does not take it now (${responseCode})` };
  return { outcome: 'later', words: `the mail server could not be used (${codeOf(error)})` };
}
