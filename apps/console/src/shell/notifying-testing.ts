import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SMTPServer } from 'smtp-server';

/* What the tests of notifications share: a mail server, a receiver of HTTP and a folder of configuration, all on this machine. */

const shipped = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));

/** A mail as a mail server took it. */
export interface Mail {
  readonly to: string[];
  readonly text: string;
  readonly headers: ReadonlyMap<string, string>;
}

interface ServerOptions {
  /** Without it, the server has STARTTLS. */
  readonly hideSTARTTLS?: boolean;
  /** TLS from the first byte. */
  readonly implicit?: boolean;
  readonly certificate?: { readonly key: string; readonly cert: string };
  /** The login that a mail needs. */
  readonly login?: { readonly user: string; readonly password: string };
}

/**
 * A mail server on a free port. `answer` may refuse a mail, with the code of the answer. `sessions` says of each mail whether it came
 * through TLS, and under which login. `login` of `state` can be changed.
 */
export async function mailServer({ hideSTARTTLS, implicit, certificate, login }: ServerOptions = {}) {
  const mails: Mail[] = [];
  const sessions: { readonly secure: boolean; readonly user: string | undefined }[] = [];
  const state = { tries: 0, logins: 0, login, answer: (_to: string): number | undefined => undefined };
  const server = new SMTPServer({
    authOptional: login === undefined,
    allowInsecureAuth: hideSTARTTLS === true,
    ...(implicit && { secure: true }),
    ...certificate,
    disabledCommands: [...(login ? [] : ['AUTH']), ...(hideSTARTTLS ? ['STARTTLS'] : [])],
    onAuth({ username, password }, _session, done) {
      state.logins++;
      if (username === state.login?.user && password === state.login?.password) return done(null, { user: username });
      done(Object.assign(new Error(`no, ${username} of all people`), { responseCode: 535 }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        state.tries++;
        const to = session.envelope.rcptTo.map(({ address }) => address);
        const code = state.answer(to[0] ?? '');
        if (code !== undefined)
          return done(Object.assign(new Error(`no, ${to[0]} of all people`), { responseCode: code }));
        sessions.push({ secure: session.secure, user: session.user as string | undefined });
        mails.push(mailOf(Buffer.concat(chunks).toString('utf8'), to));
        done();
      });
    },
  });
  // A client that does not trust the certificate ends the connection.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return { port, mails, sessions, state, close: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

function mailOf(raw: string, to: string[]): Mail {
  const [head = '', ...body] = raw.split('\r\n\r\n');
  const headers = new Map(
    head
      .replace(/\r\n[ \t]+/g, ' ')
      .split('\r\n')
      .map(
        (line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()] as const,
      ),
  );
  const text = body.join('\r\n\r\n');
  const plain = headers.get('content-transfer-encoding') === 'quoted-printable' ? unquoted(text) : text;
  return { to, headers, text: plain.replaceAll('\r\n', '\n') };
}

const unquoted = (text: string): string =>
  Buffer.from(
    text
      .replace(/=\r\n/g, '')
      .replace(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');

export interface Posted {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** The answer never ends. */
  readonly endless?: boolean;
}

/** A receiver of HTTP on a free port. `answer` gives status, headers and body for a request. */
export async function httpReceiver() {
  const posted: Posted[] = [];
  const state = { answer: (_request: Posted): Answer => ({}) };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = request.headers as Record<string, string>;
      const post = { url: request.url ?? '', headers, body: Buffer.concat(chunks).toString('utf8') };
      posted.push(post);
      const { status = 200, headers: more = {}, body = 'ok', endless = false } = state.answer(post);
      response.writeHead(status, more);
      if (endless) response.write(body);
      else response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    posted,
    state,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A folder of configuration with people who have tokens; `write` puts secrets beside it, and notifications.yaml into it. */
export function notifyingFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'notifying-'));
  cpSync(shipped, join(folder, 'config'), { recursive: true });
  const people = [
    { sha256: sha256('lea-token'), person: 'lea', roles: ['reviewer', 'operator'] },
    { sha256: sha256('tom-token'), person: 'tom', roles: ['reviewer'] },
    { sha256: sha256('max-token'), person: 'max', roles: ['reviewer'] },
    { sha256: sha256('ann-token'), person: 'ann', roles: ['viewer'] },
  ];
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify(people));
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = join(folder, 'config');
  process.env.PUBLIC_URL = 'https://console.example.com';
  process.env.CONTROL_CONFIRM_MS = '0';
  return {
    /** The text may name a secret as `../name`. */
    write(text: string, secrets: Readonly<Record<string, string>> = {}): void {
      for (const [name, content] of Object.entries(secrets))
        writeFileSync(join(folder, name), content, { mode: 0o600 });
      writeFileSync(join(folder, 'config/notifications.yaml'), text);
    },
    path: (name: string) => join(folder, name),
    remove(): void {
      delete process.env.PUBLIC_URL;
      rmSync(folder, { recursive: true });
    },
  };
}
