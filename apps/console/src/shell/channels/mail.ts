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

/** RFC 4954: a login is needed, too weak, wrong, or not allowed without TLS. */
const loginCodes = [530, 534, 535, 538];
/** The steps in which a server answers about this mail. In every other step it answers about itself, or about the settings of the channel. */
const aboutMail = ['EENVELOPE', 'EMESSAGE'];

/** Only an answer about the mail is for good. An operator can mend everything else; until then the message waits. */
function failure(error: unknown): Delivery {
  const { responseCode, code } = error as { responseCode?: unknown; code?: unknown };
  const answered = typeof responseCode === 'number' ? responseCode : undefined;
  if (code === 'EAUTH' || (answered !== undefined && loginCodes.includes(answered)))
    return { outcome: 'later', words: `the mail server does not accept the login (${answered ?? codeOf(error)})` };
  if (answered === undefined || !aboutMail.includes(String(code)))
    return { outcome: 'later', words: `the mail server could not be used (${codeOf(error)})` };
  return answered >= 500
    ? { outcome: 'refused', words: `the mail server refused it for good (${answered}): see its log` }
    : { outcome: 'later', words: `the mail server does not take it now (${answered})` };
}
