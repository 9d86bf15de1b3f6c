import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/*
 * The part of Kafka's protocol that kafkajs lacks: changing SCRAM credentials (KIP-554) and quotas (KIP-546), with the login before it.
 * https://kafka.apache.org/protocol, RFC 5802.
 */

export interface KafkaLogin {
  readonly mechanism: 'plain' | 'scram-sha-256';
  readonly username: string;
  readonly password: string;
}

export interface KafkaUser {
  readonly name: string;
  readonly password: string;
}

/** The broker answered, and refused the user or the password. */
export class LoginRefused extends Error {
  constructor(username: string) {
    super(`the broker refuses the login of ${username}`);
    this.name = 'LoginRefused';
  }
}

const iterations = 4096;
const api = {
  saslHandshake: 17,
  saslAuthenticate: 36,
  describeClientQuotas: 48,
  alterClientQuotas: 49,
  alterUserScramCredentials: 51,
} as const;

interface Connection {
  /** Sends one request body and returns the response after its correlation id. */
  ask(key: number, version: number, flexible: boolean, body: Buffer): Promise<Reader>;
  close(): void;
}

/** Logs in once and disconnects. Throws LoginRefused if the broker refuses, another error if it cannot be reached. */
export async function checkLogin(address: string, login: KafkaLogin, ssl = false): Promise<void> {
  (await logIn(address, login, ssl)).close();
}

/** Creates SCRAM-SHA-256 users or changes their passwords; fulfilled when each can log in at `loginAt`, default `address`. */
export async function upsertScramUsers(
  address: string,
  admin: KafkaLogin,
  users: readonly KafkaUser[],
  { ssl = false, loginAt = address }: { ssl?: boolean; loginAt?: string } = {},
): Promise<void> {
  if (users.length === 0) return;
  const connection = await logIn(address, admin, ssl);
  try {
    const upserts = users.map(({ name, password }) => {
      const salt = randomBytes(24);
      const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
      return Buffer.concat([compactString(name), int8(1), int32(iterations), compact(salt), compact(salted), int8(0)]);
    });
    const body = Buffer.concat([uvarint(1), uvarint(upserts.length + 1), ...upserts, int8(0)]);
    const answer = await connection.ask(api.alterUserScramCredentials, 0, true, body);
    answer.int32();
    for (let left = answer.uvarint() - 1; left > 0; left--) {
      const user = answer.compactString();
      const code = answer.int16();
      const message = answer.compactString();
      answer.tags();
      if (code !== 0)
        throw new Error(`the broker does not take the credential of ${user}: ${message ?? `error ${code}`}`);
    }
  } finally {
    connection.close();
  }
  await Promise.all(users.map((user) => untilLogin(loginAt, user, ssl)));
}

/** Kafka's names of the limits, each with its value. */
export type QuotaValues = Readonly<Record<string, number>>;

/** The quotas that single users have, by user. */
export async function describeQuotas(
  address: string,
  admin: KafkaLogin,
  ssl = false,
): Promise<ReadonlyMap<string, QuotaValues>> {
  const connection = await logIn(address, admin, ssl);
  try {
    // One component: users, of any name, and no other entity beside it.
    const body = Buffer.concat([int32(1), string('user'), int8(2), int16(-1), int8(1)]);
    const answer = await connection.ask(api.describeClientQuotas, 0, false, body);
    answer.int32();
    quotaFault(answer, 'tell its quotas');
    const found = new Map<string, QuotaValues>();
    for (let entries = answer.int32(); entries > 0; entries--) {
      let user: string | undefined;
      for (let parts = answer.int32(); parts > 0; parts--) {
        answer.string();
        user = answer.string();
      }
      const values = new Map<string, number>();
      for (let left = answer.int32(); left > 0; left--) values.set(answer.string() ?? '', answer.float64());
      if (user !== undefined) found.set(user, Object.fromEntries(values));
    }
    return found;
  } finally {
    connection.close();
  }
}

/** Sets quotas of users; an undefined value is removed. */
export async function alterQuotas(
  address: string,
  admin: KafkaLogin,
  changes: ReadonlyMap<string, Readonly<Record<string, number | undefined>>>,
  ssl = false,
): Promise<void> {
  if (changes.size === 0) return;
  const connection = await logIn(address, admin, ssl);
  try {
    const entries = [...changes].flatMap(([user, values]) => [
      ...[int32(1), string('user'), string(user), int32(Object.keys(values).length)],
      ...Object.entries(values).flatMap(([name, value]) => [
        ...[string(name), float64(value ?? 0), int8(value === undefined ? 1 : 0)],
      ]),
    ]);
    const body = Buffer.concat([int32(changes.size), ...entries, int8(0)]);
    const answer = await connection.ask(api.alterClientQuotas, 0, false, body);
    answer.int32();
    for (let left = answer.int32(); left > 0; left--) {
      quotaFault(answer, 'take a quota');
      for (let parts = answer.int32(); parts > 0; parts--) {
        answer.string();
        answer.string();
      }
    }
  } finally {
    connection.close();
  }
}

function quotaFault(answer: Reader, request: string): void {
  const code = answer.int16();
  const message = answer.string();
  if (code !== 0) throw new Error(`the broker does not ${request}: ${message ?? `error ${code}`}`);
}

/** The users whose password the broker does not take. */
export async function usersRefused(address: string, users: readonly KafkaUser[], ssl = false): Promise<KafkaUser[]> {
  const refused = await Promise.all(
    users.map(async (user) => {
      try {
        await checkLogin(address, { mechanism: 'scram-sha-256', username: user.name, password: user.password }, ssl);
        return [];
      } catch (error) {
        if (error instanceof LoginRefused) return [user];
        throw error;
      }
    }),
  );
  return refused.flat();
}

/** The controller has the credential at once; the broker gets it a moment later. */
async function untilLogin(address: string, user: KafkaUser, ssl: boolean): Promise<void> {
  for (let tries = 50; ; tries--) {
    if ((await usersRefused(address, [user], ssl)).length === 0) return;
    if (tries === 0) throw new LoginRefused(user.name);
  }
}

async function logIn(address: string, login: KafkaLogin, ssl: boolean): Promise<Connection> {
  const connection = await open(address, ssl);
  try {
    const mechanism = login.mechanism.toUpperCase();
    const handshake = await connection.ask(api.saslHandshake, 1, false, string(mechanism));
    if (handshake.int16() !== 0) throw new Error(`the broker at ${address} does not offer ${mechanism}`);
    const authenticate = async (bytes: Buffer): Promise<Buffer> => {
      const answer = await connection.ask(api.saslAuthenticate, 0, false, Buffer.concat([int32(bytes.length), bytes]));
      const code = answer.int16();
      answer.string();
      if (code === 58) throw new LoginRefused(login.username);
      if (code !== 0) throw new Error(`login at ${address} failed with Kafka's error ${code}`);
      return answer.bytes();
    };
    if (login.mechanism === 'plain') await authenticate(Buffer.from(`\0${login.username}\0${login.password}`));
    else await scram(login, authenticate);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function scram(
  { username, password }: KafkaLogin,
  authenticate: (bytes: Buffer) => Promise<Buffer>,
): Promise<void> {
  const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const nonce = randomBytes(18).toString('base64');
  const first = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  const challenge = (await authenticate(Buffer.from(`n,,${first}`))).toString();
  const field = (text: string, name: string): string =>
    text
      .split(',')
      .find((part) => part.startsWith(`${name}=`))
      ?.slice(2) ?? '';
  const serverNonce = field(challenge, 'r');
  if (!serverNonce.startsWith(nonce)) throw new LoginRefused(username);
  const salted = pbkdf2Sync(
    password,
    Buffer.from(field(challenge, 's'), 'base64'),
    Number(field(challenge, 'i')),
    32,
    'sha256',
  );
  const clientKey = hmac(salted, 'Client Key');
  const final = `c=biws,r=${serverNonce}`;
  const signed = `${first},${challenge},${final}`;
  const signature = hmac(createHash('sha256').update(clientKey).digest(), signed);
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)));
  const outcome = (await authenticate(Buffer.from(`${final},p=${proof.toString('base64')}`))).toString();
  const expected = hmac(hmac(salted, 'Server Key'), signed);
  const given = Buffer.from(field(outcome, 'v'), 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new LoginRefused(username);
}

/** In bytes. The questions asked here have answers of a few hundred bytes for each user. */
const longestAnswer = 4 * 1024 * 1024;

async function open(address: string, ssl: boolean): Promise<Connection> {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
  const options = { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  const socket = await new Promise<Socket>((resolve, reject) => {
    const made: Socket = ssl
      ? connectTls({ ...options, servername: options.host }, () => resolve(made))
      : connectTcp(options, () => resolve(made));
    made.once('error', reject);
    made.setTimeout(10_000, () => made.destroy(new Error(`${address} does not answer`)));
  });
  let received = Buffer.alloc(0);
  let correlation = 0;
  let waiting: { resolve(reader: Reader): void; reject(error: Error): void; flexible: boolean } | undefined;
  const fail = (error: Error): void => {
    waiting?.reject(error);
    waiting = undefined;
  };
  socket.on('error', fail);
  socket.on('close', () => fail(new Error(`${address} closed the connection`)));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < 4) return;
    const length = received.readInt32BE(0);
    if (length < 4 || length > longestAnswer) {
      socket.destroy(new Error(`${address} does not answer as a Kafka broker`));
      return;
    }
    if (received.length < 4 + length) return;
    const reader = new Reader(received.subarray(4, 4 + length));
    received = received.subarray(4 + length);
    reader.int32();
    if (waiting?.flexible) reader.tags();
    waiting?.resolve(reader);
    waiting = undefined;
  });
  return {
    ask: (key, version, flexible, body) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Error(`${address} closed the connection`));
        waiting = { resolve, reject, flexible };
        const header = [
          int16(key),
          int16(version),
          int32(++correlation),
          string('countersign'),
          ...(flexible ? [int8(0)] : []),
        ];
        const request = Buffer.concat([...header, body]);
        socket.write(Buffer.concat([int32(request.length), request]));
      }),
    close: () => socket.destroy(),
  };
}

class Reader {
  private at = 0;
  constructor(private readonly from: Buffer) {}

  int16 = (): number => this.take(2).readInt16BE(0);
  int32 = (): number => this.take(4).readInt32BE(0);
  float64 = (): number => this.take(8).readDoubleBE(0);
  bytes = (): Buffer => this.take(Math.max(0, this.int32()));

  string(): string | undefined {
    const length = this.int16();
    return length < 0 ? undefined : this.take(length).toString();
  }

  compactString(): string | undefined {
    const length = this.uvarint();
    return length === 0 ? undefined : this.take(length - 1).toString();
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.take(1).readUInt8(0);
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
  }

  tags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint();
      this.take(this.uvarint());
    }
  }

  private take(length: number): Buffer {
    if (this.at + length > this.from.length)
      throw new Error('the broker answered with less than its protocol promises');
    this.at += length;
    return this.from.subarray(this.at - length, this.at);
  }
}

const int8 = (n: number): Buffer => Buffer.from([n]);

function int16(n: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(n);
  return bytes;
}

function int32(n: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(n);
  return bytes;
}

function float64(n: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(n);
  return bytes;
}

function uvarint(n: number): Buffer {
  const bytes: number[] = [];
  for (let left = n; ; left >>>= 7) {
    if (left < 0x80) return Buffer.from([...bytes, left]);
    bytes.push((left & 0x7f) | 0x80);
  }
}

function string(text: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)]);
}

const compact = (bytes: Buffer): Buffer => Buffer.concat([uvarint(bytes.length + 1), bytes]);
const compactString = (text: string): Buffer => compact(Buffer.from(text));
