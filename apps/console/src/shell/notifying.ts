import fs from 'node:fs';
import { isAbsolute, join } from 'node:path';
import {
  type ConfigProblem,
  type Notifications,
  type NotifyChannel,
  notificationsFile,
  problemLine,
  readFolder,
  readNotifications,
  remarksOn,
  textOfFile,
} from '@countersign/contracts';
import type { Env } from '@countersign/runtime';
import { z } from 'zod';

/** A channel with the content of its files. */
export type OpenChannel =
  | {
      readonly kind: 'email';
      readonly host: string;
      readonly port: number;
      readonly tls: 'starttls' | 'implicit' | 'none';
      readonly from: string;
      readonly login?: { readonly user: string; readonly password: string };
    }
  | {
      readonly kind: 'slack';
      readonly send: { readonly webhook: string } | { readonly token: string; readonly api: string };
      readonly buttons: boolean;
      readonly signingSecret?: string;
      /** The addresses to which answers to a pressed button may go. */
      readonly hooks: string;
    }
  | { readonly kind: 'teams'; readonly webhook: string }
  | { readonly kind: 'webhook'; readonly url: string; readonly secret: string };

/** The notification rules, with every address and credential read. */
export interface Notifying {
  readonly config: Notifications;
  readonly channels: ReadonlyMap<string, OpenChannel>;
  /** Possible mistakes. */
  readonly remarks: readonly ConfigProblem[];
  /** By recipient and channel: an e-mail address, or a conversation of Slack. */
  addressOf(recipient: string, channel: string): string | undefined;
}

/** Injection token of `Notifying`; undefined if no one is notified of anything. */
export const NOTIFYING = Symbol('NOTIFYING');

const Address = z.email().max(254);
const Login = z.strictObject({ user: z.string().min(1).max(300), password: z.string().min(1).max(1000) });
const Secret = z
  .string()
  .max(500)
  .regex(/^(whsec_)?[A-Za-z0-9+/]{16,}={0,2}$/);
const Token = z
  .string()
  .max(500)
  .regex(/^[\x21-\x7e]{8,}$/);
const isLoopback = (host: string): boolean => ['127.0.0.1', 'localhost', '[::1]'].includes(host);
const WebAddress = z
  .url()
  .max(2000)
  .refine((text) => {
    const { protocol, hostname, username } = new URL(text);
    return username === '' && (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname)));
  });

/**
 * Reads notifications.yaml of CONFIG_DIR and the files that it names. If the file is missing or has no rule, no one is notified of
 * anything. If anything is unusable, throws with file, line, field and what was expected; no address or credential is quoted.
 */
export function readNotifying(env: Env): Notifying | undefined {
  const folder = env.CONFIG_DIR;
  if (!folder) return undefined;
  let file: ReturnType<typeof readFolder>[number] | undefined;
  try {
    file = readFolder(folder, fs).find(({ path }) => path === notificationsFile);
  } catch {
    // The reader of the policy reports that the folder cannot be read.
    return undefined;
  }
  if (!file) return undefined;
  const read = readNotifications(file);
  if (!read.ok) throw notUsable(read.problems);
  const { part } = read;
  const problems: ConfigProblem[] = [];
  const secret = <T>(path: (string | number)[], schema: z.ZodType<T>, holds: string, given?: string): T | undefined => {
    if (given === undefined) return undefined;
    const found = secretOf(isAbsolute(given) ? given : join(folder, given), schema, holds);
    if (found.ok) return found.value;
    problems.push(part.problem(path, found.detail));
    return undefined;
  };
  const channels = new Map(
    part.value.channels.map((channel, place) => {
      const open = opened(channel, (member, schema, holds) =>
        secret(['channels', place, member], schema, holds, (channel as Record<string, unknown>)[member] as string),
      );
      return [channel.name, open] as const;
    }),
  );
  const addresses = new Map(
    part.value.recipients.flatMap(({ name, addresses: all, slackUser }, place) =>
      all.map((address, n) => {
        const path = ['recipients', place, 'addresses', n, 'addressFile'];
        const mail = secret(path, Address, 'one e-mail address', address.addressFile);
        return [`${name} ${address.channel}`, mail ?? address.conversation ?? slackUser] as const;
      }),
    ),
  );
  if (problems.length > 0) throw notUsable(problems);
  return {
    config: part.value,
    channels,
    remarks: remarksOn(part),
    addressOf: (recipient, channel) => addresses.get(`${recipient} ${channel}`),
  };
}

type SecretOf = <T>(member: string, schema: z.ZodType<T>, holds: string) => T | undefined;

function opened(channel: NotifyChannel, secret: SecretOf): OpenChannel {
  const url = (member: string) => secret(member, WebAddress, 'one https address') ?? '';
  switch (channel.kind) {
    case 'email': {
      const { kind, host, port, tls } = channel;
      const login = secret('loginFile', jsonOf(Login), 'JSON with user and password');
      return {
        kind,
        host,
        port,
        tls,
        from: secret('fromFile', Address, 'one e-mail address') ?? '',
        ...(login && { login }),
      };
    }
    case 'slack': {
      const token = secret('tokenFile', Token, "a bot's token");
      const signingSecret = secret('signingSecretFile', Token, "the app's signing secret");
      return {
        kind: channel.kind,
        send:
          token === undefined
            ? { webhook: url('webhookFile') }
            : { token, api: (channel.api ?? 'https://slack.com/api').replace(/\/+$/, '') },
        buttons: channel.buttons === true,
        ...(signingSecret !== undefined && { signingSecret }),
        hooks: new URL(channel.hooks ?? 'https://hooks.slack.com').origin,
      };
    }
    case 'teams':
      return { kind: channel.kind, webhook: url('webhookFile') };
    case 'webhook':
      return {
        kind: channel.kind,
        url: url('urlFile'),
        secret: secret('secretFile', Secret, 'a signing secret in base64, as whsec_… or without the prefix') ?? '',
      };
  }
}

const jsonOf = <T>(schema: z.ZodType<T>) =>
  z.string().transform((text, context): T => {
    try {
      const read = schema.safeParse(JSON.parse(text));
      if (read.success) return read.data;
    } catch {
      // Reported below, without any content of the file.
    }
    context.addIssue('is not JSON of this shape');
    return z.NEVER;
  });

/** The content of a file, by its schema; or else the problem, in words that quote neither the content nor the path. */
function secretOf<T>(
  path: string,
  schema: z.ZodType<T>,
  holds: string,
): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly detail: string } {
  try {
    const { mode } = fs.statSync(path);
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8);
      return { ok: false, detail: `the file that it names is open to others (mode ${shown}): mode 600 is expected` };
    }
    const read = schema.safeParse(textOfFile(path, fs, 16_384).trim());
    return read.success
      ? { ok: true, value: read.data }
      : { ok: false, detail: `the file that it names does not hold ${holds}` };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return { ok: false, detail: `the file that it names cannot be read (${code}): a file with ${holds} is expected` };
  }
}

const notUsable = (problems: readonly ConfigProblem[]): Error =>
  new Error(
    `${notificationsFile} cannot be used:\n${problems.map((problem) => `  ${problemLine(problem)}`).join('\n')}`,
  );
