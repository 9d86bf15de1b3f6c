import { createHash, generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  append,
  emptyFrontier,
  eventBytes,
  exportCheckpoint,
  exportHeader,
  exportLeaf,
  formatVerifierKey,
  type Leaf,
  leafHash,
  rootOf,
  sha256,
  signCheckpoint,
  signingKey,
} from '@countersign/record';
import type { Command } from 'commander';
import { CompactEncrypt, importJWK, type JWK } from 'jose';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { card, now, standing } from './core/given.js';
import { program } from './program.js';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

let folder: string;
let server: Server;
let url: string;
let asked: Asked[];
let answers: Record<string, { status?: number; body: unknown }>;

beforeEach(async () => {
  asked = [];
  answers = {};
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const { method = '', url: path = '', headers } = request;
    asked.push({ method, path, headers, body: text === '' ? undefined : JSON.parse(text) });
    const { status = 200, body } = answers[`${method} ${path}`] ?? { status: 404, body: {} };
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(join(tmpdir(), 'cli-'));
  vi.stubEnv('COUNTERSIGN_CONSOLE_URL', url);
  vi.stubEnv('COUNTERSIGN_AUDIT_URL', url);
  vi.stubEnv('COUNTERSIGN_ORCHESTRATOR_URL', url);
  vi.stubEnv('COUNTERSIGN_TOKEN', 'a-token');
  vi.stubEnv('COUNTERSIGN_READ_TOKEN', 'a-read-token');
  vi.stubEnv('COUNTERSIGN_HOME', undefined);
  vi.stubEnv('CONFIG_DIR', undefined);
  vi.stubEnv('SOURCES_FILE', undefined);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  process.exitCode = undefined;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

/** Runs the command line as if it was called in `folder`; what it wrote and its exit code. */
const run = async (...args: string[]): Promise<{ out: string; err: string; code: number }> => {
  const written = { out: '', err: '' };
  const take = (name: 'out' | 'err') => (text: string | Uint8Array) => {
    written[name] += text.toString();
    return true;
  };
  const spies = [
    vi.spyOn(process, 'cwd').mockReturnValue(folder),
    vi.spyOn(process.stdout, 'write').mockImplementation(take('out') as never),
    vi.spyOn(process.stderr, 'write').mockImplementation(take('err') as never),
    vi.spyOn(process, 'exit').mockImplementation(((code: number) => {
      throw Object.assign(new Error('exit'), { exit: code });
    }) as never),
  ];
  process.exitCode = 0;
  try {
    await program().parseAsync(args, { from: 'user' });
    return { ...written, code: Number(process.exitCode) };
  } catch (error) {
    const { exit } = error as { exit?: number };
    if (exit === undefined) throw error;
    return { ...written, code: exit };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
};

const reviewable = () => {
  answers['GET /v1/ids?kind=review&begins=3f2a'] = { body: { id: card.id } };
  answers[`GET /v1/reviews/${card.id}`] = { body: card };
  answers[`POST /v1/reviews/${card.id}`] = { status: 202, body: { reviewId: 'r-1' } };
  answers['GET /v1/reviews/r-1/result'] = {
    body: {
      reviewId: 'r-1',
      state: 'approved',
      decision: 'approve',
      detail: 'approved; executed',
      runsFrom: null,
      settlement: { outcome: 'executed' },
    },
  };
};
const posted = () => asked.filter(({ method }) => method === 'POST');
/** What was sent to change something: to ask what the rules would say is no answer. */
const sent = () => posted().filter(({ path }) => !path.endsWith('/dry-run'));

test('approving shows the card, answers with the digest that was shown, and tells what became of it', async () => {
  reviewable();
  const { out, code } = await run('review', 'approve', '3f2a', '--note', 'fine');
  expect(sent()).toMatchObject([
    {
      headers: { authorization: 'Bearer a-token', 'idempotency-key': expect.stringMatching(/^[0-9a-f-]{36}$/) },
      body: { decision: 'approve', digest: card.digest, note: 'fine' },
    },
  ]);
  expect(out.indexOf(card.detail)).toBeLessThan(out.indexOf('approved; executed'));
  expect(code).toBe(0);
});

test('an approval that is pinned to another digest is not sent', async () => {
  reviewable();
  const { err, code } = await run('review', 'approve', card.id, '--digest', 'aaaaaaaa');
  expect(posted()).toEqual([]);
  expect(err).toContain(`the card's digest is ${card.digest} now`);
  expect(code).toBe(1);
  expect((await run('review', 'approve', card.id, '--digest', card.digest.slice(0, 8))).code).toBe(0);
});

test('an approval that would be refused now is sent only with --yes, and says what it would lose', async () => {
  reviewable();
  const reasons = [{ rule: 'kill-control', detail: 'lea stopped everything: a look' }];
  const lost = 'It would be refused now and cannot be approved later.';
  const verdict = {
    ...{ judged: true, outcome: 'refused', reasons, at: letter.at, policy: { version: 1, digest: null } },
    loss: `${lost} Wait for the resume, or reject it.` as string | null,
  };
  answers[`POST /v1/reviews/${card.id}/dry-run`] = { body: verdict };
  const { out, err, code } = await run('review', 'approve', card.id);
  expect(sent()).toEqual([]);
  expect(code).toBe(1);
  expect(out).toContain('lea stopped everything');
  expect(err).toContain('It would be refused now and cannot be approved later. Wait for the resume, or reject it.');
  verdict.reasons = [{ rule: 'consent', detail: 'it was withdrawn' }];
  verdict.loss = `${lost} Wait until the rules let it through, change it, or reject it.`;
  expect((await run('review', 'edit', card.id, '--set', 'amountMinor=40000')).err).toContain(
    'cannot be approved later. Wait until the rules let it through, change it, or reject it.',
  );
  expect(sent()).toEqual([]);
  // To reject loses nothing, and neither does an answer that would be set aside.
  await run('review', 'reject', card.id, '--category', 'not-needed');
  await run('review', 'approve', card.id, '--yes');
  answers[`POST /v1/reviews/${card.id}/dry-run`] = { body: { ...verdict, policy: null, loss: null } };
  await run('review', 'approve', card.id);
  expect(sent()).toHaveLength(3);
});

test('an edit sends the whole payload with what was set, and shows the difference', async () => {
  reviewable();
  const { out, code } = await run('review', 'edit', '3f2a', '--set', 'amountMinor=40000');
  expect(sent()).toMatchObject([
    { body: { decision: 'edit', payload: { ...card.action?.payload, amountMinor: 40_000 } } },
  ]);
  expect(out).toContain('- amountMinor: 60000\n+ amountMinor: 40000');
  expect(code).toBe(0);
});

test('an answer that was set aside ends with 1 and says why', async () => {
  reviewable();
  const detail = 'set aside: the deadline has passed';
  answers['GET /v1/reviews/r-1/result'] = {
    body: { reviewId: 'r-1', state: 'set-aside', decision: 'approve', detail },
  };
  const { out, code } = await run('--json', 'review', 'approve', card.id);
  expect(JSON.parse(out)).toMatchObject({ state: 'set-aside', detail });
  expect(code).toBe(1);
});

test('an approval of a checkpoint that let no task go out ends with 1 and says why', async () => {
  reviewable();
  const detail = 'no task goes out: approved by lea, but tom stopped everything: a test.';
  answers['GET /v1/reviews/r-1/result'] = {
    body: { reviewId: 'r-1', state: 'withheld', decision: 'approve', detail },
  };
  expect(await run('review', 'approve', card.id)).toMatchObject({ code: 1, out: expect.stringContaining(detail) });
});

test('the tasks of a checkpoint that a stop would hold back are approved only with --yes', async () => {
  reviewable();
  const { action: _, agentSays: __, ...asked } = card;
  const stop = { scope: 'play:surge', name: 'Surge', by: 'tom', reason: 'a test', changedAt: letter.at };
  const underStop = { stops: [stop], approving: 'No task goes out.', loss: 'No task would go out now. Wait.' };
  answers[`GET /v1/reviews/${card.id}`] = { body: { ...asked, subject: 'checkpoint', underStop } };
  const { out, err, code } = await run('review', 'approve', card.id);
  expect([code, sent()]).toEqual([1, []]);
  expect(out).toContain('tom stopped the play “Surge” (surge): a test');
  expect(err).toContain('No task would go out now. Wait.');
  expect((await run('review', 'reject', card.id, '--category', 'not-needed')).code).toBe(0);
  expect((await run('review', 'approve', card.id, '--yes')).code).toBe(0);
  expect(sent()).toHaveLength(2);
});

test('what is under way and what was stopped have names where the console knows them', async () => {
  const campaigns = [{ campaignId: 'c-1', name: 'Search, DACH' }];
  const review = { id: card.id, detail: 'pause c-1', deadline: letter.at, campaigns };
  const approved = { count: 1, due: 0, first: [{ detail: 'resume c-1', notBefore: letter.at, campaigns }] };
  const empty = { count: 0, first: [] };
  const body = { scope: 'account:acme', name: 'Acme', tasks: empty, reviews: { count: 1, first: [review] }, approved };
  answers['GET /v1/queue?scope=account%3Aacme'] = { body };
  const shown = await run('queue', '--account', 'acme');
  expect(shown.out).toContain('resume Search, DACH (c-1), due');
  expect(shown.out).toContain('pause Search, DACH (c-1), answer due by');
  expect(JSON.parse((await run('queue', '--account', 'acme', '--json')).out)).toEqual(body);
  answers['GET /v1/queue?scope=account%3Aacme'] = {
    body: { ...body, reviews: empty, approved: { ...empty, due: 0 } },
  };
  expect((await run('queue', '--account', 'acme')).out).toContain('Nothing of the account “Acme” (acme) is under way.');
  const control = { scope: 'account:acme', name: 'Acme', state: 'stopped', by: 'lea', reason: 'x', version: 1 };
  const everybody = { confirmed: true, confirmedBy: [], notConfirmedBy: [], unknown: [] };
  answers['POST /v1/controls'] = {
    body: { changed: true, control: { ...control, changedAt: letter.at, ...everybody }, ...everybody },
  };
  expect((await run('stop', '--account', 'acme', '--reason', 'x')).out).toContain(
    'the account “Acme” (acme) is stopped.',
  );
});

test('somebody who may not answer is told who may, with 1', async () => {
  reviewable();
  answers[`POST /v1/reviews/${card.id}`] = {
    status: 403,
    body: { status: 403, detail: 'max is not among its reviewers' },
  };
  const { err, code } = await run('review', 'approve', card.id);
  expect([err, code]).toEqual(['countersign: max is not among its reviewers\n', 1]);
});

test('a token that is not known is 2, and says where tokens come from', async () => {
  answers['GET /v1/controls?state=stopped'] = { status: 401, body: { status: 401, detail: 'unknown' } };
  const { err, code } = await run('controls');
  expect(err).toContain('set COUNTERSIGN_TOKEN');
  expect(code).toBe(2);
});

test('the orchestrator gets the reading token and no person’s; where it asks for another, that variable is named', async () => {
  answers['GET /runs'] = { status: 401, body: { status: 401, detail: 'unknown' } };
  const known = await run('runs');
  expect(asked.at(-1)?.headers.authorization).toBe('Bearer a-read-token');
  expect(known.err).toContain('it does not know this token; set COUNTERSIGN_READ_TOKEN');
  vi.stubEnv('COUNTERSIGN_READ_TOKEN', undefined);
  const none = await run('runs');
  expect(asked.at(-1)?.headers.authorization).toBeUndefined();
  expect(none.err).toContain('it asks for a token; set COUNTERSIGN_READ_TOKEN');
  expect([known.code, none.code]).toEqual([2, 2]);
});

test('a service that is not there is 2, names its address and what to start', async () => {
  vi.stubEnv('COUNTERSIGN_CONSOLE_URL', 'http://127.0.0.1:1');
  const { err, code } = await run('review', 'list');
  expect(err).toContain('console not reachable at http://127.0.0.1:1');
  expect(err).toContain('is `npm start` running?');
  expect(code).toBe(2);
});

test('in JSON, an error is one line of JSON on the error output', async () => {
  vi.stubEnv('COUNTERSIGN_CONSOLE_URL', 'http://127.0.0.1:1');
  const { err, out } = await run('review', 'list', '--json');
  expect(JSON.parse(err)).toMatchObject({ exitCode: 2, error: expect.stringContaining('not reachable') });
  expect(out).toBe('');
});

test('addresses are found in run.json of a folder above, and the tokens in the files beside it', async () => {
  mkdirSync(join(folder, '.countersign'));
  const file = { http: { console: url, orchestrator: url }, person: 'lea' };
  credential('people/lea.json', { token: 'from-file' });
  credential('reader.json', { readToken: 'also-from-file' });
  writeFileSync(join(folder, '.countersign', 'run.json'), JSON.stringify(file));
  mkdirSync(join(folder, 'below'));
  folder = join(folder, 'below');
  vi.stubEnv('COUNTERSIGN_CONSOLE_URL', '');
  vi.stubEnv('COUNTERSIGN_TOKEN', undefined);
  answers['GET /v1/controls?state=stopped'] = { body: { controls: [] } };
  expect(await run('controls')).toMatchObject({ out: 'Nothing is stopped.\n', code: 0 });
  expect(asked[0]?.headers.authorization).toBe('Bearer from-file');
  vi.stubEnv('COUNTERSIGN_ORCHESTRATOR_URL', '');
  vi.stubEnv('COUNTERSIGN_READ_TOKEN', undefined);
  answers['GET /runs'] = { body: { runs: [] } };
  expect((await run('runs')).code).toBe(0);
  expect(asked[1]?.headers.authorization).toBe('Bearer also-from-file');
  folder = join(folder, '..');
});

test('a command reads the file of the principal that it acts as, and says which one is missing or cannot be read, and what it holds', async () => {
  const secret = 'never-quoted';
  started({
    http: { console: url, orchestrator: url },
    person: 'lea',
    deployment: { ...shopped, agents: ['seo-agent'], executors: ['ledger'] },
  });
  const folderOf = (name: string) => join(folder, '.countersign/credentials', name);
  vi.stubEnv('COUNTERSIGN_TOKEN', undefined);
  vi.stubEnv('COUNTERSIGN_READ_TOKEN', undefined);
  answers['GET /v1/controls?state=stopped'] = { body: { controls: [] } };
  answers['GET /runs'] = { body: { runs: [] } };
  const fails = async (words: readonly string[]) => {
    const { code, err } = await run(...words);
    expect([code, asked]).toEqual([2, []]);
    expect(err).not.toContain(secret);
    return err;
  };
  expect(await fails(['controls'])).toBe(
    `countersign: ${folderOf('people/lea.json')} does not exist. It holds the tokens of lea for console and record: set COUNTERSIGN_TOKEN, or have it given ` +
      'to you, and name its folder in COUNTERSIGN_CREDENTIALS. `npm start` writes the file\n',
  );
  expect(await fails(['runs'])).toContain(`${folderOf('reader.json')} does not exist. It holds the reading token`);
  credential('people/lea.json', `{"token": "${secret}"`);
  credential('reader.json', { token: secret });
  expect(await fails(['controls'])).toContain(`${folderOf('people/lea.json')} is not as expected`);
  expect(await fails(['runs'])).toContain(`${folderOf('reader.json')} is not as expected`);
  rmSync(folderOf('reader.json'));
  mkdirSync(folderOf('reader.json'));
  expect(await fails(['runs'])).toContain('reader.json cannot be read (');

  // Another folder holds what was given to whoever calls.
  const own = join(folder, 'own');
  mkdirSync(join(own, 'people'), { recursive: true });
  writeFileSync(join(own, 'people/lea.json'), JSON.stringify({ token: 'of-my-own' }));
  vi.stubEnv('COUNTERSIGN_CREDENTIALS', own);
  expect((await run('controls')).code).toBe(0);
  expect(asked[0]?.headers.authorization).toBe('Bearer of-my-own');
  expect((await run('verify', '--published')).err).toContain(join(own, 'broker/auditor.json'));
});

test('a stop names its scope and reason; a misused one is 2 and sends nothing', async () => {
  const goesBy = { confirmed: true, confirmedBy: ['guardrail-validator'], notConfirmedBy: [], unknown: [] };
  answers['POST /v1/controls'] = { body: { changed: true, control: null, ...goesBy } };
  const { out, code } = await run('stop', '--agent', 'paid-media-agent', '--reason', 'bids look wrong');
  expect(posted()).toMatchObject([
    { body: { scope: 'agent:paid-media-agent', state: 'stopped', reason: 'bids look wrong' } },
  ]);
  expect([out, code]).toEqual(['agent:paid-media-agent is stopped.\nConfirmed by guardrail-validator.\n', 0]);
  expect((await run('stop', '--reason', 'x')).code).toBe(2);
  expect((await run('stop', '--all')).code).toBe(2);
  expect((await run('halt')).code).toBe(2);
  expect(posted()).toHaveLength(1);
});

test('signing somebody out names the person and why, and says what ended; a misused one is 2 and sends nothing', async () => {
  answers['POST /v1/sign-outs'] = { body: { person: 'max', sessions: 2, links: 1, at: '2026-11-21T10:00:00.000Z' } };
  const { out, code } = await run('sign-out', '--person', 'max', '--reason', 'the laptop was stolen');
  expect(posted()).toMatchObject([{ body: { person: 'max', reason: 'the laptop was stolen' } }]);
  expect(out).toContain('max is signed out: 2 sessions ended, 1 link revoked.');
  expect(code).toBe(0);
  answers['POST /v1/sign-outs'] = { body: { person: 'max', sessions: 0, links: 0, accounts: 1, at: now } };
  const released = await run('sign-out', '--person', 'max', '--new-account', '--reason', 'it was replaced');
  expect(posted().at(-1)).toMatchObject({ body: { person: 'max', newAccount: true } });
  expect(released.out).toContain('The next account at the identity provider that signs in as max is theirs.');
  expect((await run('sign-out', '--person', 'max')).code).toBe(2);
  expect((await run('sign-out', '--reason', 'x')).code).toBe(2);
  expect(posted()).toHaveLength(2);
});

test('a stop that is not confirmed is 1, and says by whom', async () => {
  const open = { confirmed: false, confirmedBy: [], notConfirmedBy: ['action-executor'], unknown: ['downstream'] };
  answers['POST /v1/controls'] = { body: { changed: true, control: null, ...open } };
  for (const [name, text] of [
    ['stop', 'Everything is stopped.'],
    ['resume', 'The stop of everything has ended. What else is stopped: countersign controls'],
  ] as const) {
    const { out, code } = await run(name, '--all', '--reason', 'x');
    expect([out, code]).toEqual([expect.stringContaining(`${text}\nNOT CONFIRMED by action-executor`), 1]);
    const json = await run(name, '--all', '--reason', 'x', '--json');
    expect([JSON.parse(json.out), json.code]).toEqual([expect.objectContaining(open), 1]);
  }
});

test('the status is 1 where a service is not well', async () => {
  answers['GET /v1/now'] = { body: standing };
  answers['GET /health'] = { body: { status: 'ok' } };
  mkdirSync(join(folder, '.countersign'));
  const http = Object.fromEntries(
    ['signal-ingestion', 'paid-media-agent', 'sequencing-agent', 'guardrail-validator', 'action-executor'].map((n) => [
      n,
      url,
    ]),
  );
  const write = (more: object) =>
    writeFileSync(join(folder, '.countersign', 'run.json'), JSON.stringify({ http: { ...http, ...more } }));
  write({});
  expect((await run('status')).code).toBe(0);
  write({ 'action-executor': 'http://127.0.0.1:1' });
  const { out, code } = await run('status');
  expect(out).toMatch(/action-executor +unreachable/);
  expect(code).toBe(1);
});

test('health is asked for with the reading token; where a service tells no more than its status, it is said how it would', async () => {
  answers['GET /v1/now'] = { body: standing };
  answers['GET /health'] = { status: 503, body: { status: 'degraded', checks: { database: 'no answer for 4 s' } } };
  started({ http: { console: url }, deployment: { ...shopped, agents: ['seo-agent'], executors: ['ledger'] } });
  expect((await run('status')).out).toMatch(/console +degraded .* database: no answer for 4 s/);
  const health = asked.filter(({ path }) => path === '/health');
  expect(health.length).toBeGreaterThan(0);
  for (const { headers } of health) expect(headers.authorization).toBe('Bearer a-read-token');
  answers['GET /health'] = { status: 503, body: { status: 'degraded' } };
  expect((await run('status')).out).toMatch(/console +degraded .* COUNTERSIGN_READ_TOKEN/);
  // Without them it would seem that there are no gaps.
  const { code, err } = await run('gaps');
  expect([code, err]).toEqual([
    2,
    expect.stringMatching(
      /console.* tells only its status without the reading token of this installation: set COUNTERSIGN_READ_TOKEN/,
    ),
  ]);
});

test('where there is no installation, nothing can be audited or probed: 2, and it says what to do', async () => {
  for (const words of [['audit', 'invariants'], ['probe']]) {
    const { err, code } = await run(...words);
    expect([code, err]).toEqual([2, expect.stringContaining('call this in the folder where `npm start` runs')]);
  }
  expect((await run('audit', 'invariants', '--grace', 'soon')).code).toBe(2);
  expect((await run('probe', '--lead', '0')).code).toBe(2);
});

const letter = {
  deadLetterId: '5b1e6c1e-0000-5000-8000-000000000001',
  service: 'orchestrator',
  topic: 'signals.accepted.v1',
  partition: 0,
  offset: '7',
  type: 'SignalAccepted',
  job: null,
  fault: { code: 'handler', detail: 'no such play' },
  attempts: 3,
  at: '2026-11-21T10:00:00.000Z',
  state: 'open',
  endedAt: null,
  failedAgain: null,
  replayedBy: null as string | null,
  replayedAt: null as string | null,
  replayNote: null,
};
const other = { ...letter, deadLetterId: '77776c1e-0000-5000-8000-000000000002', service: 'console' };

test('dead letters are listed, shown and replayed through the console, with the token of whoever asks and no broker', async () => {
  const list = 'GET /v1/dead-letters?limit=500';
  answers[list] = { body: { deadLetters: [letter, other] } };
  expect((await run('dead-letters', 'list')).code).toBe(1);
  answers['GET /v1/ids?kind=dead-letter&begins=5b1e'] = { body: { id: letter.deadLetterId } };
  answers[`GET /v1/dead-letters/${letter.deadLetterId}`] = { body: letter };
  expect((await run('dead-letters', 'show', '5b1e')).out).toContain('no such play [handler]');
  answers[`POST /v1/dead-letters/${letter.deadLetterId}/replays`] = { status: 202, body: letter };
  answers[`POST /v1/dead-letters/${other.deadLetterId}/replays`] = { status: 202, body: other };
  expect(await run('dead-letters', 'replay', '5b1e', '--note', 'mended')).toMatchObject({
    out: '1 dead letter to be handled again.\n',
    code: 0,
  });
  expect(posted()).toMatchObject([
    {
      path: `/v1/dead-letters/${letter.deadLetterId}/replays`,
      headers: { authorization: 'Bearer a-token' },
      body: { note: 'mended' },
    },
  ]);
  answers[list] = {
    body: { deadLetters: [other, { ...letter, state: 'ordered', replayedBy: 'lea', replayedAt: letter.at }] },
  };
  expect(JSON.parse((await run('--json', 'dead-letters', 'replay', '--all', '--note', 'x')).out)).toEqual({
    replayed: [{ deadLetterId: other.deadLetterId, service: 'console' }],
  });
  // One that failed again waits again; it is replayed by its id only, so that nobody orders the same in a circle.
  const again = {
    ...letter,
    state: 'failed-again',
    replayedBy: 'lea',
    replayedAt: letter.at,
    endedAt: letter.at,
    failedAgain: letter.fault,
  };
  answers[list] = { body: { deadLetters: [again] } };
  expect(await run('dead-letters', 'list')).toMatchObject({
    code: 1,
    out: expect.stringContaining('replayed by lea, failed again'),
  });
  expect((await run('dead-letters', 'replay', '--all', '--note', 'x')).out).toBe('Nothing to replay.\n');
  answers['GET /v1/dead-letters?service=orchestrator&limit=500'] = { body: { deadLetters: [] } };
  expect((await run('dead-letters', 'list', '--service', 'orchestrator')).code).toBe(0);
  expect((await run('dead-letters', 'replay', '--all', '--service', 'orchestrator', '--note', 'x')).out).toBe(
    'Nothing to replay.\n',
  );
});

test('more dead letters than the console tells at once are all replayed', async () => {
  const id = (n: number) => `${String(n).padStart(8, '0')}-0000-5000-8000-000000000001`;
  const page = (from: number, size: number, next: string | null) => ({
    body: { deadLetters: Array.from({ length: size }, (_, n) => ({ ...letter, deadLetterId: id(from + n) })), next },
  });
  const last = `waiting,${letter.at},${id(499)}`;
  answers['GET /v1/dead-letters?limit=500'] = page(0, 500, last);
  answers[`GET /v1/dead-letters?limit=500&cursor=${encodeURIComponent(last)}`] = page(500, 2, null);
  for (let n = 0; n < 502; n += 1) answers[`POST /v1/dead-letters/${id(n)}/replays`] = { body: letter };
  expect((await run('dead-letters', 'replay', '--all', '--note', 'x')).out).toBe(
    '502 dead letters to be handled again.\n',
  );
  expect(posted()).toHaveLength(502);
});

test.each([
  [['dead-letters', 'show'], [], 'dead-letter'],
  [['dead-letters', 'replay'], ['--note', 'mended'], 'dead-letter'],
  [['review', 'show'], [], 'review'],
  [['review', 'approve'], ['--yes'], 'review'],
  [['review', 'dry-run'], [], 'review'],
  [['settle'], ['--executed', '--note', 'seen'], 'permit'],
  [['plays', '--run'], [], 'run'],
])('%j takes the first characters of an id, and reads no list to find it', async (command, more, kind) => {
  const refused = (status: number, detail: string) => ({ status, body: { status, detail } });
  answers[`GET /v1/ids?kind=${kind}&begins=5b`] = refused(400, 'more than one begins with 5b; give more of its id');
  answers[`GET /v1/ids?kind=${kind}&begins=ffff`] = refused(404, 'none begins with ffff');
  const several = await run(...command, '5b', ...more);
  expect([several.code, several.err]).toEqual([2, expect.stringContaining('more than one begins with 5b')]);
  const none = await run(...command, 'ffff', ...more);
  expect([none.code, none.err]).toEqual([1, expect.stringContaining('none begins with ffff')]);
  expect(asked.map(({ path }) => path)).toEqual([`/v1/ids?kind=${kind}&begins=5b`, `/v1/ids?kind=${kind}&begins=ffff`]);
});

test('replay --all reads no page behind the first one without a letter that waits', async () => {
  const done = { ...letter, state: 'handled', replayedBy: 'lea', replayedAt: letter.at };
  const again = { ...letter, state: 'failed-again', replayedBy: 'lea', replayedAt: letter.at };
  const [second, third] = [`waiting,${letter.at},${other.deadLetterId}`, `done,${letter.at},${letter.deadLetterId}`];
  // The page behind the third place is not there: whoever reads it fails.
  answers['GET /v1/dead-letters?limit=500'] = { body: { deadLetters: [again], next: second } };
  answers[`GET /v1/dead-letters?limit=500&cursor=${encodeURIComponent(second)}`] = {
    body: { deadLetters: [other, done], next: third },
  };
  answers[`GET /v1/dead-letters?limit=500&cursor=${encodeURIComponent(third)}`] = {
    body: { deadLetters: [done], next: `done,${letter.at},${other.deadLetterId}` },
  };
  answers[`POST /v1/dead-letters/${other.deadLetterId}/replays`] = { status: 202, body: other };
  expect(await run('dead-letters', 'replay', '--all', '--note', 'x')).toMatchObject({
    out: '1 dead letter to be handled again.\n',
    code: 0,
  });
});

test('a list of dead letters that ends early says how it goes on, and goes on there', async () => {
  const second = { ...letter, deadLetterId: '6c2f6c1e-0000-5000-8000-000000000002' };
  const next = `waiting,${letter.at},${letter.deadLetterId}`;
  answers['GET /v1/dead-letters?limit=1'] = { body: { deadLetters: [letter], next } };
  answers[`GET /v1/dead-letters?limit=1&cursor=${encodeURIComponent(next)}`] = {
    body: { deadLetters: [second], next: null },
  };
  const first = await run('dead-letters', 'list', '--limit', '1');
  expect(first.out).toContain(`--before ${next} continues`);
  const rest = await run('dead-letters', 'list', '--limit', '1', '--before', next, '--json');
  expect(JSON.parse(rest.out)).toMatchObject({ deadLetters: [{ deadLetterId: second.deadLetterId }], next: null });
  expect((await run('dead-letters', 'list', '--limit', 'all')).code).toBe(2);
});

test('unresolved permits are listed page by page, and settled by a shortened id', async () => {
  const id = (n: number) => `${String(n).padStart(8, '0')}-0000-5000-8000-000000000001`;
  const permit = (n: number, outcome = 'unresolved') => ({
    ...{ permitId: id(n), actionId: id(n), proposalId: id(n), executor: 'action-executor', connector: 'ads' },
    ...{ detail: null, at: letter.at, outcome, decision: null },
  });
  const next = `${letter.at},${id(499)}`;
  const list = 'GET /v1/settlements?limit=500';
  answers[list] = { body: { unresolved: Array.from({ length: 500 }, (_, n) => permit(n)), next } };
  answers[`${list}&cursor=${encodeURIComponent(next)}`] = { body: { unresolved: [permit(500)], next: null } };
  answers['GET /v1/ids?kind=permit&begins=00000500'] = { body: { id: id(500) } };
  answers[`POST /v1/settlements/${id(500)}`] = { status: 202, body: permit(500, 'executed') };
  expect((await run('settle', '00000500', '--executed', '--note', 'seen', '--wait', '0')).code).toBe(0);
  expect(posted()).toHaveLength(1);
  expect((await run('unresolved')).out).toContain(`There are more. --before ${next} continues.`);
  const rest = await run('unresolved', '--before', next, '--json');
  expect(JSON.parse(rest.out)).toMatchObject({ unresolved: [{ permitId: id(500) }], next: null });
});

test('what is stopped is listed alone, and with what was lifted page by page if that is asked for', async () => {
  const control = (scope: string, state: string) => ({
    ...{ scope, state, by: 'lea', reason: 'incident', version: 1, changedAt: letter.at },
    ...{ confirmed: true, confirmedBy: [], notConfirmedBy: [], unknown: [] },
  });
  const stop = control('agent:paid-media-agent', 'stopped');
  const next = `${letter.at},account:c-0`;
  answers['GET /v1/controls?state=stopped'] = { body: { controls: [stop], next: null } };
  const lifted = 'GET /v1/controls?state=running';
  answers[`${lifted}&limit=1`] = { body: { controls: [control('account:c-0', 'running')], next } };
  const rest = `&cursor=${encodeURIComponent(next)}`;
  answers[`${lifted}&limit=2${rest}`] = {
    body: { controls: [control('account:c-1', 'running'), control('account:c-2', 'running')], next: null },
  };
  expect((await run('controls')).out).toMatch(/^STOPPED {2}agent:paid-media-agent {2}by lea at [^\n]+: incident\n$/);
  expect(JSON.parse((await run('controls', '--json')).out)).toEqual({ controls: [stop] });
  expect(asked).toHaveLength(2);
  const all = await run('controls', '--lifted', '--limit', '1');
  expect(all.out).toMatch(/^STOPPED .*\n\nLIFTED {2}account:c-0 {2}by lea at .*: incident\n/);
  expect(all.out + all.err).toContain(`--before ${next} continues`);
  const more = JSON.parse((await run('controls', '--lifted', '--limit', '2', '--before', next, '--json')).out);
  expect(more.controls.map(({ scope }: { scope: string }) => scope)).toEqual([
    ...['agent:paid-media-agent', 'account:c-1', 'account:c-2'],
  ]);
  expect(more.next).toBeNull();
});

test('how long an answer is waited for goes by a clock that nobody sets', async () => {
  reviewable();
  const approved = answers['GET /v1/reviews/r-1/result'];
  const waiting = { body: { reviewId: 'r-1', state: 'waiting', decision: 'approve', detail: 'waits', runsFrom: null } };
  const { now: clock } = Date;
  let ahead = 0;
  vi.spyOn(Date, 'now').mockImplementation(() => clock() + ahead);
  let looks = 0;
  Object.defineProperty(answers, 'GET /v1/reviews/r-1/result', {
    get: () => {
      looks += 1;
      ahead = 3_600_000;
      return looks < 3 ? waiting : approved;
    },
  });
  const { out } = await run('review', 'approve', '3f2a', '--wait', '60');
  expect([looks, out]).toEqual([3, expect.stringContaining('approved; executed')]);

  ahead = 0;
  const gap = { topic: 't', topicId: 'i', partition: 0, from: 3, to: 5, reason: 'records-deleted' };
  started({ http: { console: url }, deployment: { ...shopped, agents: ['seo-agent'], executors: ['ledger'] } });
  const word = { ...gap, by: 'lea', note: 'known', at: letter.at };
  answers['POST /v1/gaps/acknowledged'] = { status: 202, body: word };
  const asks = { before: 0, behind: 0 };
  const isAcknowledged = () => posted().some(({ path }) => path === '/v1/gaps/acknowledged');
  Object.defineProperty(answers, 'GET /health', {
    get: () => {
      asks[isAcknowledged() ? 'behind' : 'before'] += 1;
      if (isAcknowledged()) ahead = 3_600_000;
      const gaps = asks.behind <= asks.before ? [{ ...gap, noticedAt: letter.at }] : [];
      return { body: { status: 'ok', checks: { gaps } } };
    },
  });
  const known = ['t', '--service', 'console', '--note', 'known', '--wait', '60', '--json'];
  expect(JSON.parse((await run('gaps', 'acknowledge', ...known)).out)).toMatchObject({ waiting: [] });
  expect(asks.behind).toBeGreaterThan(asks.before);
});

test('gaps are acknowledged through the console, one request a gap, with the token of whoever asks', async () => {
  const gap = { topic: 't', topicId: 'i', partition: 0, from: 3, to: 5, reason: 'records-deleted' };
  answers['GET /health'] = { body: { status: 'degraded', checks: { gaps: [{ ...gap, noticedAt: letter.at }] } } };
  started({ http: { console: url }, deployment: { ...shopped, agents: ['seo-agent'], executors: ['ledger'] } });
  const word = { ...gap, by: 'lea', note: 'known', at: letter.at };
  answers['POST /v1/gaps/acknowledged'] = { status: 202, body: word };
  const answer = { outcome: 'closed', at: letter.at };
  answers['GET /v1/gaps/acknowledged?limit=500'] = {
    body: { acknowledged: [{ ...word, service: 'console', answer }] },
  };
  answers['GET /v1/gaps?limit=500'] = { body: { open: [], next: null } };
  const { out, code } = await run(
    'gaps',
    'acknowledge',
    't',
    '--service',
    'console',
    '--note',
    ' known ',
    '--wait',
    '0',
  );
  expect(posted()).toMatchObject([
    {
      path: '/v1/gaps/acknowledged',
      headers: { authorization: 'Bearer a-token' },
      body: { ...gap, service: 'console', note: 'known' },
    },
  ]);
  // Nobody waited for the service, so nobody knows that its gap is closed.
  expect([code, out]).toEqual([1, expect.stringMatching(/1 gap acknowledged by lea\.\nNOT CLOSED: 1 gap: console/)]);
  expect(out).toContain('Run `countersign gaps` again');
  expect((await run('gaps', 'list', '--all')).out).toContain(
    'lea at 2026-11-21 10:00:00Z: “known”; closed at 2026-11-21 10:00:00Z',
  );
});

test('of an open gap it is said what to do next, and of one that was acknowledged that it is not closed and why', async () => {
  const gap = { topic: 'controls.v1', topicId: 'i', partition: 0, from: 3, to: 5, reason: 'records-deleted' };
  const log = { ...gap, topic: 'reviews.decided.v1' };
  const noticedAt = letter.at;
  answers['GET /health'] = {
    body: { status: 'degraded', checks: { gaps: [gap, log].map((open) => ({ ...open, noticedAt })) } },
  };
  started({ http: { console: url }, deployment: { ...shopped, agents: ['seo-agent'], executors: ['ledger'] } });
  const listed = async (...open: object[]) => {
    answers['GET /v1/gaps?limit=500'] = { body: { open, next: null } };
    return run('gaps', '--service', 'console');
  };
  const known = (open: object, acknowledged: object | null, publishedAgainAt: string | null) => ({
    ...{ ...open, service: 'console', noticedAt, acknowledged },
    state: open === gap ? { writer: 'console', publishedAgainAt } : null,
  });
  const first = await listed(known(gap, null, null), known(log, null, null));
  expect(first.code).toBe(1);
  expect(first.out).toContain(
    "run UPDATE topic_ids SET id = 'lost' WHERE topic = 'controls.v1' in the schema console, and restart console",
  );
  for (const { topic } of [gap, log]) expect(first.out).toContain(`countersign gaps acknowledge ${topic} --note`);

  const word = { by: 'lea', note: 'known', at: letter.at };
  const second = await listed(known(gap, null, letter.at), known(log, word, null));
  expect(second.out).toContain('console, has published its whole table again at 2026-11-21 10:00:00Z');
  expect(second.out).toContain('lea at 2026-11-21 10:00:00Z: “known”; not closed yet');
  expect(second.out).toContain('Not closed yet: console has not read the acknowledgement');
  expect(second.out).not.toContain(`countersign gaps acknowledge ${log.topic}`);

  // Without the console the gaps are listed all the same.
  answers['GET /v1/gaps?limit=500'] = { status: 503, body: { detail: 'busy' } };
  const third = await run('gaps', '--service', 'console');
  expect([third.code, third.out]).toEqual([1, expect.stringContaining('nobody yet; noticed at')]);
  expect(third.err).toContain('whether somebody has acknowledged these gaps is not known: console: busy');
});

test('a gap of which the console has not heard is asked for again, and then it is said what to do', async () => {
  const gap = { topic: 't', topicId: 'i', partition: 0, from: 3, to: 5, reason: 'records-deleted' };
  answers['GET /health'] = { body: { status: 'degraded', checks: { gaps: [{ ...gap, noticedAt: letter.at }] } } };
  answers['GET /v1/gaps?limit=500'] = { body: { open: [], next: null } };
  started({ http: { console: url }, deployment: { ...shopped, agents: ['seo-agent'], executors: ['ledger'] } });
  answers['POST /v1/gaps/acknowledged'] = { status: 404, body: { status: 404, detail: 'console has reported no gap' } };
  const words = ['gaps', 'acknowledge', 't', '--service', 'console', '--note', 'known'];
  expect(await run(...words, '--wait', '0.6')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/console has reported no gap\..* restart console, which reports its gaps again/),
  });
  expect(posted().length).toBeGreaterThan(1);
  const before = posted().length;
  answers['POST /v1/gaps/acknowledged'] = { status: 403, body: { status: 403, detail: 'only an operator may' } };
  expect(await run(...words)).toMatchObject({ code: 1, err: expect.stringContaining('only an operator may') });
  expect(posted()).toHaveLength(before + 1);
});

test('a replay that names nothing, lacks a note or is not allowed is not taken for done', async () => {
  const detail = 'no dead letter begins with ffff';
  answers['GET /v1/ids?kind=dead-letter&begins=ffff'] = { status: 404, body: { status: 404, detail } };
  answers['GET /v1/ids?kind=dead-letter&begins=5b1e'] = { body: { id: letter.deadLetterId } };
  answers[`GET /v1/dead-letters/${letter.deadLetterId}`] = { body: letter };
  expect(await run('dead-letters', 'replay', 'ffff', '--note', 'x')).toMatchObject({
    code: 1,
    err: expect.stringContaining(detail),
  });
  expect((await run('dead-letters', 'replay', '--note', 'x')).code).toBe(2);
  expect(await run('dead-letters', 'replay', '5b1e')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--note'),
  });
  expect(posted()).toEqual([]);
  answers[`POST /v1/dead-letters/${letter.deadLetterId}/replays`] = {
    status: 403,
    body: { detail: 'only an operator may' },
  };
  expect(await run('dead-letters', 'replay', '5b1e', '--note', 'x')).toMatchObject({
    code: 1,
    err: expect.stringContaining('only an operator may'),
  });
});

test('an id that is nowhere on the record is 1', async () => {
  answers['GET /v1/show/x'] = { body: { id: 'x', found: false, title: 'x', lines: [] } };
  expect(await run('show', 'x')).toMatchObject({ out: 'Nothing of x is on the record.\n', code: 1 });
});

const { privateKey } = generateKeyPairSync('ed25519');
const key = signingKey('countersign.example/record', privateKey);
const recordOf = (n: number, alter: (line: string, index: number) => string = (line) => line): string => {
  const stored = Array.from({ length: n }, (_, index) => {
    const bytes = eventBytes({ key: null, headers: { ce_id: String(index) }, value: Buffer.from('{}') });
    const leaf: Leaf = {
      topic: 't.v1',
      partition: 0,
      offset: String(index),
      source: '/s',
      id: String(index),
      sha256: sha256(bytes),
    };
    return { index, leaf, hash: leafHash(leaf), bytes, kept: 'event', at: '2026-11-21T10:00:00.000Z' };
  });
  const { frontier } = append(
    emptyFrontier,
    stored.map(({ hash }) => hash),
  );
  const note = signCheckpoint({ origin: key.name, size: frontier.size, root: rootOf(frontier) }, [key]);
  const header = exportHeader({ origin: key.name, key, checkpoint: note });
  const lines = [header, exportCheckpoint(note), ...stored.map(exportLeaf)];
  return `${lines.map(alter).join('\n')}\n`;
};

test('a whole record verifies, from the recorder and from a file, offline', async () => {
  answers['GET /v1/record/export'] = { body: recordOf(3) };
  const live = await run('verify');
  expect([live.code, live.out]).toEqual([0, expect.stringContaining('The record is whole.')]);
  const file = join(folder, 'record.ndjson');
  writeFileSync(file, recordOf(3));
  const offline = await run('--json', 'verify', '--export', file, '--key', formatVerifierKey(key));
  expect(JSON.parse(offline.out)).toMatchObject({ ok: true, size: 3, confirmed: 3, keyKnownBefore: true });
});

test('with a purpose the console is asked first, and only the secret of this call opens the record, once the record knows it', async () => {
  answers['POST /v1/record/passes'] = { status: 202, body: { passId: 'p-1', expiresAt: '2026-11-21T10:10:00.000Z' } };
  let refusals = 2;
  Object.defineProperty(answers, 'GET /v1/passes/export', {
    configurable: true,
    get: () =>
      refusals-- > 0 ? { status: 401, body: { status: 401, title: 'Unknown token' } } : { body: recordOf(3) },
  });
  const file = join(folder, 'record.ndjson');
  expect(await run('export', '-o', file, '--purpose', 'yearly audit')).toMatchObject({ code: 0, err: '' });
  expect(readFileSync(file, 'utf8')).toBe(recordOf(3));
  const [request, ...downloads] = asked;
  const secrets = new Set(downloads.map(({ headers }) => headers.authorization?.replace('Bearer ', '')));
  const [secret = ''] = secrets;
  expect([secrets.size, downloads.length]).toEqual([1, 3]);
  expect(request).toMatchObject({
    path: '/v1/record/passes',
    headers: { authorization: 'Bearer a-token' },
    body: {
      use: 'export',
      purpose: 'yearly audit',
      secretSha256: createHash('sha256').update(secret).digest('hex'),
    },
  });
  expect(secret).toMatch(/^[\w-]{43}$/);
  asked.length = 0;
  expect((await run('verify', '--purpose', 'monthly check')).out).toContain('The record is whole.');
  expect(asked.map(({ path }) => path)).toEqual(['/v1/record/passes', '/v1/passes/export']);
  expect(asked[0]?.body).toMatchObject({ use: 'verify' });
  expect(asked[1]?.headers.authorization).not.toBe(`Bearer ${secret}`);
});

test('a console that gives no pass is 1, and nothing is downloaded; a saved export asks nobody', async () => {
  answers['POST /v1/record/passes'] = { status: 403, body: { status: 403, detail: 'rex is no auditor' } };
  expect(await run('export', '--purpose', 'x')).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('rex is no auditor'),
  });
  expect(asked.map(({ path }) => path)).toEqual(['/v1/record/passes']);
  expect(await run('verify', '--export', 'x', '--purpose', 'y')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--purpose'),
  });
});

test('who read the record, and what audits and probes came to, are listed', async () => {
  const pass = { passId: 'p-1', use: 'export', purpose: 'yearly audit', by: 'lea', at: '2026-11-21T10:00:00.000Z' };
  answers['GET /v1/record/passes?limit=20'] = { body: { passes: [pass], next: '2026-11-21T10:00:00.000Z,p-1' } };
  const passes = await run('passes');
  expect(passes.out).toContain('lea: export “yearly audit”  p-1');
  expect(passes.out).toContain('--before 2026-11-21T10:00:00.000Z,p-1');
  const report = {
    inspectionId: 'i',
    by: 'lea',
    startedAt: pass.at,
    heardAt: pass.at,
    endedAt: null,
    progress: null,
    checks: [],
  };
  const checks = [
    { name: 'once', detail: 'nothing twice', checked: 12, findings: 0 },
    { name: 'limits', detail: 'no limit passed', checked: 9, findings: 2 },
  ];
  const progress = { step: 'attempts made', done: 3, total: 30 };
  answers['GET /v1/inspections'] = {
    body: {
      at: pass.at,
      kinds: [
        { kind: 'invariants', open: null, last: { ...report, state: 'findings', endedAt: pass.at, checks } },
        { kind: 'probe', open: { ...report, state: 'silent', progress }, last: null },
      ],
    },
  };
  const { out } = await run('inspections');
  expect(out).toMatch(/countersign audit invariants\n.*lea: 2 findings\n/);
  expect(out).toMatch(/no limit passed +9 +2/);
  expect(out).not.toContain('nothing twice');
  expect(out).toMatch(/countersign probe\n +not heard of since .*attempts made, 3 of 30\. It has ended/);
});

test('a record with one altered event, another key or a missing end does not verify', async () => {
  const file = join(folder, 'record.ndjson');
  const check = async (text: string, ...more: string[]) => {
    writeFileSync(file, text);
    return (await run('verify', '--export', file, ...more)).code;
  };
  const altered = recordOf(3, (line, n) => (n === 3 ? line.replace(/"bytes":"[^"]*"/, '"bytes":"AAAA"') : line));
  expect(await check(altered)).toBe(1);
  expect(await check(recordOf(3).split('\n').slice(0, 4).join('\n'))).toBe(1);
  const other = signingKey(key.name, generateKeyPairSync('ed25519').privateKey);
  expect(await check(recordOf(3), '--key', formatVerifierKey(other))).toBe(1);
  expect(await check('no record\n')).toBe(1);
  expect((await run('verify', '--export', join(folder, 'nothing'))).code).toBe(2);
  expect(await run('verify', '--published', '--export', file)).toMatchObject({
    code: 2,
    err: expect.stringContaining('--checkpoint'),
  });
});

test('a permit is checked against the keys that were given; what is none is 1', async () => {
  const jwk = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'k1' };
  const keys = join(folder, 'keys.json');
  writeFileSync(keys, JSON.stringify({ keys: [jwk] }));
  const { out, code } = await run('permit', 'verify', 'a.b.c', '--keys', keys);
  expect([out.startsWith('No permit:'), code]).toEqual([true, 1]);
  expect((await run('permit', 'verify', 'a.b.c')).code).toBe(2);
});

test('a line break in the reason of a stop forges no line, and no answer steers the terminal as JSON either', async () => {
  const reason = 'why\nSTOPPED  all  by tom\u009b2J\u2028';
  answers['POST /v1/controls'] = {
    body: {
      ...{ changed: false, confirmed: true, confirmedBy: ['a\nb'], notConfirmedBy: [], unknown: [] },
      control: { scope: 'all', state: 'stopped', by: 'lea', reason },
    },
  };
  const { out } = await run('stop', '--all', '--reason', 'again');
  expect(out.split('\n')).toHaveLength(3);
  const { out: json } = await run('stop', '--all', '--reason', 'again', '--json');
  expect(json).toContain('STOPPED  all  by tom\\u009b2J\\u2028');
  expect(JSON.parse(json)).toMatchObject({ control: { reason } });

  answers['POST /v1/controls'] = { status: 409, body: { detail: 'no\ncountersign: done\u001b[2J' } };
  const { err } = await run('stop', '--all', '--reason', 'again');
  expect(err.split('\n')).toHaveLength(2);
  expect(err).not.toContain('\u001b');
});

test('a configuration with a problem is 1 and names file, line and field', async () => {
  mkdirSync(join(folder, 'config'));
  writeFileSync(join(folder, 'config', 'rules.yaml'), 'permitSeconds: soon\n');
  const { out, code } = await run('policy', 'check', join(folder, 'config'));
  expect(out).toContain('rules.yaml:1 permitSeconds: ');
  expect(code).toBe(1);
});

test('policy check reads notifications.yaml as the console does at its start', async () => {
  const config = join(folder, 'config');
  cpSync(fileURLToPath(new URL('../../../deploy/config', import.meta.url)), config, { recursive: true });
  writeFileSync(
    join(config, 'notifications.yaml'),
    'channels:\n  - { name: mail, kind: emial }\nrecipients: []\ntell: []\n',
  );
  const { out, code } = await run('policy', 'check', config);
  expect(out).toMatch(/^notifications\.yaml:2 channels\.0\.kind: /m);
  expect(code).toBe(1);
});

test('a charter is shown as text, as Markdown or as HTML, and nothing in it controls the terminal', async () => {
  const path = '/v1/agents/paid-media-agent/charter?format=';
  answers[`GET ${path}text`] = { body: { document: 'What it may do\n  - pause\u001b[2J' } };
  answers[`GET ${path}markdown`] = { body: { document: '# What it may do\n' } };
  answers[`GET ${path}html`] = { body: { document: '<!doctype html>\n' } };
  const show = (...more: string[]) => run('charter', 'show', 'paid-media-agent', ...more);
  expect(await show()).toMatchObject({ code: 0, out: 'What it may do\n  - pause\ufffd[2J\n' });
  expect((await show('--markdown')).out).toBe('# What it may do\n');
  expect((await show('--html')).out).toBe('<!doctype html>\n');
  expect(await show('--html', '--markdown')).toMatchObject({
    code: 2,
    err: expect.stringContaining('either --markdown'),
  });
  expect(JSON.parse((await show('--json')).out)).toMatchObject({ document: expect.stringContaining('pause') });
});

test('the agents and executors that a configuration lists are those of its own sources.yaml', async () => {
  const config = join(folder, 'config');
  cpSync(fileURLToPath(new URL('../../../deploy/config', import.meta.url)), config, { recursive: true });
  vi.stubEnv('CONFIG_DIR', config);
  expect(await run('policy', 'check')).toMatchObject({ code: 0 });
  const shop = 'sources:\n  - { name: shop, via: kafka, source: /sources/shop, title: Shop }\n';
  writeFileSync(join(config, 'sources.yaml'), `${shop}agents: [seo-agent]\n`);
  const { out, code } = await run('policy', 'check');
  expect([code, out]).toEqual([1, expect.stringContaining('no such agent; there is seo-agent')]);
  writeFileSync(join(config, 'sources.yaml'), `${shop}agents: [console]\n`);
  const broken = await run('policy', 'check');
  expect([broken.code, broken.out]).toEqual([
    1,
    expect.stringContaining('sources.yaml:3 agents.0: "console" is a service'),
  ]);
  expect(broken.out).not.toContain('no such agent');
});

const shopped = { sources: [{ name: 'shop', via: 'kafka', source: '/sources/shop', title: 'Shop' }] };
const credential = (file: string, content: unknown, mode = 0o600): string => {
  const path = join(folder, '.countersign/credentials', file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode });
  return path;
};
const started = (more: object): void => {
  mkdirSync(join(folder, '.countersign'), { recursive: true });
  const permitKeys = {
    keys: [{ ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'k1' }],
  };
  const kafka = { bootstrap: '127.0.0.1:1', mechanism: 'scram-sha-256' };
  for (const principal of ['console', 'auditor'])
    credential(`broker/${principal}.json`, { username: principal, password: 'y' });
  writeFileSync(join(folder, '.countersign', 'run.json'), JSON.stringify({ kafka, permitKeys, ...more }));
};

test('the status lists the sources, agents and executors that were started, and those of CONFIG_DIR before them', async () => {
  answers['GET /v1/now'] = { body: standing };
  answers['GET /health'] = { body: { status: 'ok' } };
  started({ deployment: { ...shopped, agents: ['seo-agent'], executors: ['ledger'] }, http: { console: url } });
  const { out, code } = await run('status');
  expect(out).toMatch(/sources +shop\nagents +seo-agent\nexecutors +ledger\n/);
  // No service is expected that was not started.
  expect(out).not.toMatch(/^sequencing-agent/m);
  expect(code).toBe(0);
  const config = join(folder, 'config');
  mkdirSync(config);
  writeFileSync(join(config, 'sources.yaml'), JSON.stringify({ ...shopped, agents: ['other-agent'] }));
  vi.stubEnv('CONFIG_DIR', config);
  expect(JSON.parse((await run('--json', 'status')).out)).toMatchObject({
    participants: { sources: ['shop'], agents: ['other-agent'], executors: ['action-executor', 'downstream'] },
  });
});

test.each([['audit', 'invariants'], ['probe'], ['gaps', 'list', '--service', 'console'], ['status']])(
  'a configuration that cannot be read is 2 for %s, which names the file, why, and what to do',
  async (...words) => {
    answers['GET /v1/now'] = { body: standing };
    answers['GET /health'] = { body: { status: 'ok' } };
    started({ http: { console: url } });
    const config = join(folder, 'config');
    vi.stubEnv('CONFIG_DIR', config);
    const absent = await run(...words);
    expect([absent.code, absent.err]).toEqual([
      2,
      `countersign: ${join(config, 'sources.yaml')} cannot be read (ENOENT), and it lists the sources, agents and executors: ` +
        'set CONFIG_DIR to the folder that the services read, such as deploy/config\n',
    ]);
    mkdirSync(config);
    writeFileSync(join(config, 'sources.yaml'), '#'.repeat(1_048_577));
    expect((await run(...words)).err).toContain('cannot be read (has 1048577 bytes; at most 1048576 are read)');
    writeFileSync(join(config, 'sources.yaml'), 'sources: []\nagents: [console]\n');
    const broken = await run(...words);
    expect([broken.code, broken.err]).toEqual([2, expect.stringContaining('sources.yaml:1 sources: ')]);
    expect(broken.err).toContain('mend it');
  },
);

test.each([['audit', 'invariants'], ['probe'], ['gaps', 'list', '--service', 'console']])(
  'what was shipped is not assumed by %s where nothing says who takes part',
  async (...words) => {
    for (const deployment of [undefined, {}, { ...shopped, agents: [7], executors: [] }]) {
      started({ deployment });
      const { err, code } = await run(...words);
      expect([code, err]).toEqual([2, expect.stringContaining('run.json does not. Start again with `npm start`')]);
      expect(err).toContain('set CONFIG_DIR');
    }
  },
);

test('a configuration with files that nothing reads, and parts that never run, is 1 and names each', async () => {
  const config = join(folder, 'config');
  cpSync(new URL('../../../deploy/config', import.meta.url), config, { recursive: true });
  expect(await run('policy', 'check', config)).toMatchObject({ out: expect.stringMatching(/^Valid: /), code: 0 });

  writeFileSync(join(config, 'plays', 'more.yml'), 'id: more\n');
  writeFileSync(join(config, 'big.yaml'), '#'.repeat(300_000));
  writeFileSync(join(config, 'sequences', 'latin.yaml'), Buffer.from([0x69, 0x64, 0x3a, 0xe9]));
  const routes = join(config, 'routes.yaml');
  writeFileSync(routes, readFileSync(routes, 'utf8').replaceAll('connector: mailer', 'connector: maler'));
  const { out, code } = await run('policy', 'check', config);
  expect(code).toBe(1);
  expect(out).toMatch(
    /^routes\.yaml:15 2\.connector: action-executor has no such connector; .*did you mean "mailer"\?$/m,
  );
  expect(out).toMatch(/^plays\/more\.yml: is not read: .*rename it to "plays\/more\.yaml"/m);
  expect(out).toMatch(/^big\.yaml: is not read/m);
  expect(out).toMatch(/^sequences\/latin\.yaml: cannot be read: not UTF-8: byte 3/m);

  cpSync(new URL('../../../deploy/config/routes.yaml', import.meta.url), routes);
  rmSync(join(config, 'plays', 'more.yml'));
  rmSync(join(config, 'big.yaml'));
  const sequence = readFileSync(join(config, 'sequences', 'pricing-follow-up.yaml'), 'utf8');
  writeFileSync(join(config, 'sequences', 'latin.yaml'), sequence.replace('id: pricing-follow-up', 'id: unused'));
  const noted = await run('policy', 'check', config);
  expect(noted.code).toBe(0);
  expect(noted.out).toMatch(/^sequences\/latin\.yaml:2 id: no play uses this sequence\nValid: /);
});

test('every command explains itself with examples and exit codes', async () => {
  const all = (command: ReturnType<typeof program>): string[][] =>
    command.commands.flatMap((sub) =>
      sub.commands.length > 0 ? all(sub as never).map((rest) => [sub.name(), ...rest]) : [[sub.name()]],
    );
  const names = all(program());
  expect(names.length).toBeGreaterThan(15);
  for (const name of names) {
    const { out, code } = await run(...name, '--help');
    expect(out, name.join(' ')).toMatch(/Examples:\n {2}\$ countersign [\s\S]*Exit codes:\n {2}0 {2}/);
    expect(code).toBe(0);
  }
});

const policyCheck = {
  valid: true,
  problems: [],
  notes: [],
  warnings: [],
  digest: 'd'.repeat(64),
  inForce: 3,
  differs: true,
  differences: [
    { file: 'rules.yaml', path: 'permitSeconds', before: '900', after: '60' },
    { file: 'plays/new.yaml', path: '', before: null, after: '{\n  "id": "new"\n}' },
  ],
};

test('publishing a policy shows what changes and sends the digest and the version that were shown', async () => {
  answers['POST /v1/policies/check'] = { body: policyCheck };
  answers['POST /v1/policies/publish'] = { body: { ok: true, changed: true, version: 4, digest: policyCheck.digest } };
  const { out, code } = await run('policy', 'publish');
  expect([out, code]).toEqual([expect.stringContaining('Policy 4 is published.'), 0]);
  expect(out).toContain('rules.yaml\n  permitSeconds\n    - 900\n    + 60');
  expect(asked.at(-1)).toMatchObject({ body: { digest: policyCheck.digest, inForce: 3 } });

  expect(await run('policy', 'publish', '--digest', 'dddd')).toMatchObject({ code: 0 });
  asked = [];
  const other = await run('policy', 'publish', '--digest', 'abcd');
  expect(other).toMatchObject({ code: 1, err: expect.stringContaining('countersign policy diff') });
  expect(asked.map(({ path }) => path)).toEqual(['/v1/policies/check']);

  const detail = 'the configuration folder has changed since it was checked';
  answers['POST /v1/policies/publish'] = { status: 409, body: { detail } };
  expect(await run('policy', 'publish')).toMatchObject({ code: 1, err: expect.stringContaining(detail) });
});

test("the console's folder is checked and compared without publishing; what is not valid is 1", async () => {
  answers['POST /v1/policies/check'] = { body: policyCheck };
  const { out, code } = await run('policy', 'diff');
  expect([out, code]).toEqual([expect.stringContaining('plays/new.yaml\n  is new\n    + {'), 0]);
  expect(out).toContain('Nothing is published yet');
  const problems = [{ file: 'rules.yaml', line: 4, column: 3, field: 'permitSeconds', detail: 'expected number' }];
  answers['POST /v1/policies/check'] = { body: { ...policyCheck, valid: false, digest: null, problems } };
  for (const command of [
    ['policy', 'check', '--console'],
    ['policy', 'diff'],
    ['policy', 'publish'],
  ]) {
    const broken = await run(...command);
    expect(broken).toMatchObject({
      code: 1,
      out: expect.stringContaining('rules.yaml:4 permitSeconds: expected number'),
    });
    expect(broken.out).toContain('Policy 3 stays in force');
  }
  expect(asked.some(({ path }) => path === '/v1/policies/publish')).toBe(false);
});

test('published policies are listed and compared by version', async () => {
  const versions = [{ version: 3, digest: 'c'.repeat(64), by: 'lea', publishedAt: '2026-11-21T10:00:00.000Z' }];
  answers['GET /v1/policies/versions'] = { body: { inForce: 3, versions, next: '3' } };
  const { out } = await run('policy', 'versions');
  expect(out).toMatch(/3 .*lea .*cccccccccccc .*in force\nOlder ones: --before 3/);
  answers['GET /v1/policies'] = { body: { version: 3 } };
  answers['GET /v1/policies/differences?from=1&to=3'] = { body: { from: 1, to: 3, differences: [] } };
  expect(await run('policy', 'diff', '1')).toMatchObject({ out: 'No difference.\n', code: 0 });
});

test('an agent is told with its charter, its stop and what became of its actions; a reason forges no line', async () => {
  const figures = {
    ...{ proposed: 3, approved: 1, refused: 1, escalated: 1, refusedBy: { 'spend-cap': 1 } },
    answers: { approve: 0, edit: 1, reject: 0 },
    tokens: {
      ...{ state: 'known', models: ['a\nmodel'], calls: 2, unknownCalls: 0, input: 1200, output: 300 },
      perProposal: { input: 400, output: 100 },
    },
  };
  const stops = [{ scope: 'agent:seo-agent', by: 'lea', reason: 'odd\nbids' }];
  const row = { agent: 'seo-agent', owner: 'dana', stops, figures };
  const since = '2026-11-01T10:00:00.000Z';
  const period = { from: '2026-11-01', since, tokensSince: since };
  answers['GET /v1/agents?days=30'] = { body: { ...period, agents: [row] } };
  const { out: all } = await run('agents');
  expect(all.split('\n').filter((line) => line !== '')).toHaveLength(3);
  answers['GET /v1/agents/seo-agent?days=7'] = {
    body: { ...period, ...row, charter: [{ title: 'Its limits', lines: ['At most EUR 500.00 a day.'] }] },
  };
  const at = '2026-11-21T10:00:00.000Z';
  const action = {
    proposalId: '3f2a6c1e-0000',
    detail: 'pause c-1',
    at,
    state: 'refused',
    edited: true,
    reason: 'too much',
  };
  answers['GET /v1/agents/seo-agent/actions?limit=20'] = { body: { actions: [action] } };
  const { out } = await run('agents', 'seo-agent', '--days', '7');
  expect(out).toContain('  At most EUR 500.00 a day.');
  expect(out).toContain('1 refused (spend-cap 1)');
  expect(out).toMatch(/model\) 2 times: 1200 tokens in, 300 out. On average 400 in and 100 out for a proposal/);
  expect(out).toMatch(/refused, edited +pause c-1: too much +3f2a6c1e/);
});

test('sources, rejected signals and people are told as the pages tell them; a word of an outsider forges no line', async () => {
  const at = '2026-11-21T10:00:00.000Z';
  const counts = { lastHour: { accepted: 3, rejected: 0 }, lastDay: { accepted: 40, rejected: 2 } };
  const crm = { name: 'crm', state: 'heard', ...counts, rejectedBy: [{ code: 'contract', n: 2 }], acceptedAt: at };
  answers['GET /v1/sources'] = {
    body: {
      sources: [
        { ...crm, rejectedAt: null },
        { ...crm, name: 'ads', state: 'never', acceptedAt: null, rejectedAt: null },
      ],
    },
  };
  const sources = await run('sources');
  expect(sources.out).toMatch(/crm +3 +0 +40 +2 .*contract 2/);
  expect(sources).toMatchObject({ code: 0, out: expect.stringMatching(/ads .*nothing heard yet/) });
  const rejection = {
    ...{
      source: 'crm',
      signalId: 's-1',
      type: 'Forged\nline',
      at,
      title: 'A member is missing',
      change: 'Correct it.',
    },
    reasons: [{ detail: 'data.contact: give ref, email, or both' }],
  };
  answers['GET /v1/signals/rejected?limit=20&source=crm&code=contract'] = {
    body: { rejected: [rejection], next: '7' },
  };
  const rejected = await run('signals', 'rejected', '--source', 'crm', '--code', 'contract');
  expect(rejected.out.trimEnd().split('\n')).toHaveLength(5);
  expect(rejected).toMatchObject({ code: 1, out: expect.stringContaining('To change: Correct it.') });
  const account = { accountId: 'lumen-health', name: 'Lumen Health' };
  const person = { contactId: '57a6d963', seniority: 'c-suite', jobFunction: 'finance', account };
  answers['GET /v1/people?limit=50&account=Lumen'] = { body: { people: [person], next: null, incomplete: true } };
  expect((await run('people', 'Lumen')).out).toBe(
    'c-suite, finance, at Lumen Health (contact 57a6d963)\nThe names of more accounts begin with this than are looked at. Give more of the name to find the others.\n',
  );
  const consents = [{ purpose: 'sales', channel: 'email', status: 'granted', at, source: '/sources/crm' }];
  answers['GET /v1/people/57a6d963'] = { body: { ...person, consents, suppressions: [] } };
  const refusal = {
    proposalId: 'p-1',
    detail: 'send "x" to this person',
    state: 'refused',
    reasons: [{ detail: 'no consent' }],
    at,
  };
  answers['GET /v1/people/57a6d963/actions?limit=50'] = { body: { actions: [refusal], next: null } };
  const { out } = await run('people', '--contact', '57a6d963');
  expect(out).toContain('sales by email: granted at');
  expect(out).toMatch(/refused {2}send "x" to this person: no consent {2}p-1/);
});

/** A console that answers a reveal at the third look, sealed to the key that it was given, with these members. */
function answersReveal(contactId: string, opened: object): string {
  const path = `/v1/people/${contactId}/reveals`;
  const revealId = '2f6c0a61-9c0e-4b39-8f53-6d6b7d0a9c11';
  answers[`POST ${path}`] = { status: 202, body: { revealId } };
  let jwe: string | null = null;
  answers[`GET ${path}/${revealId}`] = {
    get body() {
      const state = jwe === null ? 'waiting' : 'sealed';
      const [publicKey = {}] = asked.flatMap(({ method, body }) =>
        method === 'POST' ? [(body as { publicKey: JWK }).publicKey] : [],
      );
      void importJWK(publicKey, 'ECDH-ES')
        .then((imported) =>
          new CompactEncrypt(Buffer.from(JSON.stringify({ revealId, contactId, ...opened })))
            .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
            .encrypt(imported),
        )
        .then((sealed) => {
          jwe = sealed;
        });
      return { state, reason: null, jwe };
    },
  };
  return revealId;
}
const someone = '6cf220c7-9794-40c6-ae57-e29f891b23ff';
const why = ['--purpose', 'access-request', '--note', 'request 4711'];

test('a person is revealed to whoever says why: only the public key leaves, and the answer is opened here', async () => {
  const revealId = answersReveal(someone, { firstName: 'Jane', lastName: 'Doe', email: 'jane@example.com' });
  const { out, code } = await run('people', 'reveal', someone, '--field', 'name', '--field', 'email', ...why);
  expect([code, out.trimEnd().split('\n')]).toEqual([
    0,
    [
      'name   Jane Doe',
      'email  jane@example.com',
      `The record says that you asked, and why: countersign show ${revealId}`,
    ],
  ]);
  expect(asked[0]?.body).toEqual({
    ...{ fields: ['name', 'email'], purpose: 'access-request', note: 'request 4711' },
    publicKey: { kty: 'EC', crv: 'P-256', x: expect.stringMatching(/^[\w-]{43}$/), y: expect.any(String) },
  });
});

test('nothing is shown where nothing is revealed, nor an answer to another request, and the exit code says no', async () => {
  answersReveal(someone, { contactId: '0d4b5bd4-6a55-4f1f-8a3c-4d2b57a7c0de', firstName: 'Jane' });
  const other = await run('people', 'reveal', someone, '--field', 'name', ...why);
  expect([other.code, other.out]).toEqual([1, '']);
  expect(other.err).toContain('belongs to another request, so it is not shown');
  const path = `/v1/people/${someone}/reveals`;
  const revealId = answersReveal(someone, {});
  answers[`GET ${path}/${revealId}`] = {
    body: { state: 'refused', reason: { detail: 'what was known of this person was erased' }, jwe: null },
  };
  const erased = await run('people', 'reveal', someone, '--field', 'name', ...why);
  expect([erased.code, erased.out]).toEqual([1, '']);
  expect(erased.err).toContain('nothing was revealed: what was known of this person was erased');
  answers[`GET ${path}/${revealId}`] = { body: { state: 'waiting', reason: null, jwe: null } };
  const silent = await run('people', 'reveal', someone, '--field', 'name', ...why, '--wait', '0');
  expect([silent.code, silent.out]).toEqual([1, '']);
  expect(silent.err).toContain('see whether signal-ingestion runs');
  asked.length = 0;
  expect((await run('people', 'reveal', someone, '--field', 'birthday', ...why)).code).toBe(2);
  expect(asked).toEqual([]);
});

test('who asked who a person is, is listed with the purpose and the note; a note forges no line', async () => {
  const asking = { by: 'ann', fields: ['name', 'email'], purpose: 'complaint', note: 'case\n12' };
  const reveal = { ...asking, revealId: 'r-1', at: '2026-11-21T10:00:00.000Z', state: 'sealed', reason: null };
  answers[`GET /v1/people/${someone}/reveals?limit=50`] = { body: { reveals: [reveal], next: '7' } };
  const { out } = await run('people', 'reveals', someone);
  expect(out.trimEnd().split('\n')).toHaveLength(2);
  expect(out).toContain('ann: name, email, complaint “case ⏎ 12”: sealed  r-1');
});

test('the list of who asked goes on where the list before ended', async () => {
  answers[`GET /v1/people/${someone}/reveals?limit=7&cursor=n-7`] = { body: { reveals: [], next: 'n-8' } };
  const listed = await run('people', 'reveals', someone, '--before', 'n-7', '--limit', '7', '--json');
  expect([listed.code, JSON.parse(listed.out)]).toEqual([0, { reveals: [], next: 'n-8' }]);
});

/** Every command of the program, with its path. */
const everyCommand = (command: Command, path: string): { command: Command; path: string }[] => [
  { command, path },
  ...command.commands.flatMap((sub) => everyCommand(sub, `${path} ${sub.name()}`)),
];

test('no option of a subcommand is taken by a command above it', () => {
  const taken = everyCommand(program(), 'countersign').flatMap(({ command, path }) => {
    const own = command.options.flatMap(({ short, long }) => [short, long]);
    const found: string[] = [];
    for (let above = command.parent; above !== null; above = above.parent) {
      const theirs = above.options.flatMap(({ short, long }) => [short, long]);
      found.push(...own.filter((flag) => flag !== undefined && theirs.includes(flag)).map((flag) => `${path} ${flag}`));
    }
    return found;
  });
  expect(taken).toEqual([]);
});

test('stories are listed by what is asked for, with the reason beside each; a sentence forges no line', async () => {
  const story = {
    ...{ id: '3f2a6c1e-0000', sentence: 'Pause\nc-1', outcome: 'refused', reason: 'over the cap', agent: 'seo-agent' },
    startedAt: '2026-11-21T10:00:00.000Z',
  };
  answers['GET /v1/stories?limit=20&search=acme+x&outcome=refused'] = {
    body: { stories: [story], chains: [], next: null, incomplete: false },
  };
  const { out } = await run('stories', '--search', 'acme x', '--outcome', 'refused');
  expect(out.trimEnd().split('\n')).toHaveLength(1);
  expect(out).toMatch(/refused +Pause ⏎ c-1: over the cap +3f2a6c1e-0000/);
  answers['GET /v1/stories?limit=20&search=acm'] = {
    body: { stories: [story], chains: [], next: null, incomplete: true },
  };
  expect((await run('stories', '--search', 'acm')).out).toContain('More names begin with this than are looked at.');
  answers['GET /v1/stories?limit=20&search=acm'] = { body: { stories: [], chains: [], next: null, incomplete: true } };
  expect((await run('stories', '--search', 'acm')).out).toMatch(
    /No story was found among .*\nMore names begin with this/,
  );
  const step = {
    ...{ at: story.startedAt, detail: 'refused: over the cap', by: { name: 'guardrail-validator' } },
    ...{ topic: 'actions.refused.v1', partition: 0, offset: '7' },
  };
  answers['GET /v1/stories/3f2a'] = { body: { story, steps: [step], more: true, complete: true } };
  const { out: steps } = await run('stories', '3f2a');
  expect(steps).toMatch(/refused: over the cap +guardrail-validator +actions\.refused\.v1\/0@7\nThere are more steps/);
});

test('the facts of a story are told step by step: its trace, its rules, the words of the agent as such, amounts, and what is no longer here', async () => {
  const reasons = [
    { rule: 'consent', outcome: 'pass', detail: 'they agreed' },
    { rule: 'spend-cap', outcome: 'refuse', detail: 'over\nthe cap' },
  ];
  const data = {
    proposalId: 'p-1',
    rationale: 'c-2 pays back\nActionApproved by lea',
    verdict: { reasons },
    action: { payload: { amountMinor: 60_000, currency: 'EUR' }, kinds: ['a', 'b'] },
    fresh: true,
    proposedAt: '2026-11-21T10:00:00.000Z',
  };
  const traceId = 'ab'.repeat(16);
  const headers = { traceparent: `00-${traceId}-${'cd'.repeat(8)}-01` };
  const bytes = Buffer.from(eventBytes({ key: null, headers, value: Buffer.from(JSON.stringify(data)) }));
  const step = {
    ...{ at: '2026-11-21T10:00:00.000Z', detail: 'refused: over the cap', by: { name: 'guardrail-validator' } },
    ...{ type: 'ActionRefused', topic: 'actions.refused.v1', partition: 0, offset: '7' },
  };
  const steps = [
    { ...step, id: '6', provable: false, traceUrl: null },
    { ...step, id: '7', provable: true, traceUrl: null },
    { ...step, id: '8', provable: true, traceUrl: 'https://traces.example/1' },
  ];
  answers['GET /v1/stories/3f2a'] = { body: { story: null, steps, more: false, complete: true } };
  answers['GET /v1/events/7/record'] = { body: { bytes: bytes.toString('base64') } };
  answers['GET /v1/events/8/record'] = { body: { bytes: 'AAAA' } };
  const { out, code } = await run('stories', '3f2a', '--facts');
  expect(code).toBe(0);
  expect(
    out
      .trim()
      .split('\n')
      .map((line) => line.trimEnd()),
  ).toEqual([
    '2026-11-21 10:00:00Z  refused: over the cap',
    '  ActionRefused by guardrail-validator, actions.refused.v1/0@7',
    '  The console keeps the facts of a step for seven days; the record keeps them: countersign show.',
    '',
    '2026-11-21 10:00:00Z  refused: over the cap',
    '  ActionRefused by guardrail-validator, actions.refused.v1/0@7',
    `  trace ${traceId}`,
    '  rules',
    '    spend-cap  refuses  over ⏎ the cap',
    '    consent    passes   they agreed',
    "  the agent's own words, which nobody has checked:",
    '  > c-2 pays back',
    '  > ActionApproved by lea',
    '  facts',
    '    proposal id                  p-1',
    '    action › payload › amount    EUR 600.00',
    '    action › payload › currency  EUR',
    '    action › kinds 1             a',
    '    action › kinds 2             b',
    '    fresh                        yes',
    '    proposed at                  2026-11-21 10:00:00Z',
    '',
    '2026-11-21 10:00:00Z  refused: over the cap',
    '  ActionRefused by guardrail-validator, actions.refused.v1/0@7',
    '  trace https://traces.example/1',
    '  The bytes of this event cannot be read here.',
  ]);
  const json = JSON.parse((await run('stories', '3f2a', '--facts', '--json')).out);
  expect(json.events).toEqual([null, data, null]);
  expect(json.traceIds).toEqual([null, traceId, null]);
  for (const words of [['--facts'], ['3f2a', '--facts', '--prove']])
    expect(await run('stories', ...words)).toMatchObject({ code: 2, err: expect.stringContaining('--facts') });
});

test('a play is told step by step, with its runs', async () => {
  const play = {
    ...{ id: 'surge', title: 'Surge', starts: '3 contacts engage.', agents: ['seo-agent'], stops: [] },
    runs: { live: 1, lastAt: '2026-11-21T10:00:00.000Z' },
  };
  answers['GET /v1/plays'] = { body: { plays: [play] } };
  expect((await run('plays')).out).toMatch(/surge +Surge +seo-agent +last .*, 1 under way +runs/);
  answers['GET /v1/plays/surge'] = {
    body: {
      ...play,
      steps: [
        { title: 'It starts when', lines: [play.starts] },
        { title: 'Follow up', agent: 'seo-agent', lines: [], runs: { here: 3, waits: 0, late: 1 } },
        { title: 'Each proposal is judged', lines: [], runs: { here: 0, waits: 0, late: 0 } },
      ],
      elsewhere: { here: 1, waits: 1, late: 0 },
    },
  };
  const nothing = { agent: null, at: null, until: null, story: null, review: null };
  const run1 = {
    runId: '7c0d6c1e-0000',
    startedAt: '2026-11-21T10:00:00.000Z',
    state: 'running',
    steps: [
      { ...nothing, state: 'done', title: 'It started', detail: '' },
      { ...nothing, state: 'here', title: 'Follow up', detail: 'seo-agent has not answered yet.' },
      { ...nothing, state: 'ahead', title: 'Each proposal is judged', detail: 'There is no proposal yet.' },
    ],
  };
  const runs = { runs: [{ ...run1, subject: { kind: 'account', id: 'acme', name: 'Acme' } }], next: null };
  answers['GET /v1/plays/surge/runs?limit=20'] = { body: runs };
  answers['GET /v1/plays/surge/runs?limit=20&live=true'] = { body: { ...runs, runs: [] } };
  const { out } = await run('plays', 'surge');
  expect(out).toContain('It starts when\n  3 contacts engage.');
  expect(out).toContain('Follow up (seo-agent)\n  3 runs here now: 1 late');
  expect(out).toContain('Each proposal is judged\n  no run here now');
  expect(out).toContain('At steps that an earlier policy had: 1 run here now: 1 for a person to act');
  expect(out).toMatch(/account Acme \(acme\) +running +Follow up: seo-agent has not answered yet\. +7c0d6c1e/);
  expect((await run('plays', 'surge', '--live')).out).toMatch(/Runs\n {2}None\./);
  expect(await run('plays', '--live')).toMatchObject({ code: 2 });
});

test('the list of reviews follows the cursor to its end, and narrows as its page does', async () => {
  const checkpoint = {
    ...card,
    id: 'c-1',
    subject: 'checkpoint',
    facts: { ...card.facts, agent: undefined, tasks: [] },
  };
  answers['GET /v1/reviews?state=open&limit=500'] = { body: { reviews: [card], next: '2026-11-21T11:00:00.000Z,1' } };
  const behind = encodeURIComponent('2026-11-21T11:00:00.000Z,1');
  answers[`GET /v1/reviews?state=open&limit=500&cursor=${behind}`] = { body: { reviews: [checkpoint], next: null } };
  const all = await run('review', 'list', '--json');
  expect(JSON.parse(all.out)).toMatchObject({ reviews: [{ id: card.id }, { id: 'c-1' }], next: null });
  const narrowed = await run('review', 'list', '--agent', 'paid-media-agent', '--json');
  expect(JSON.parse(narrowed.out).reviews.map(({ id }: { id: string }) => id)).toEqual([card.id]);
  answers['GET /v1/reviews?state=open&limit=1'] = answers['GET /v1/reviews?state=open&limit=500'];
  const cut = await run('review', 'list', '--limit', '1');
  expect(cut.out).toContain('The search ended after review 1, and there are more. --before ');
  expect(await run('review', 'list', '--state', 'lost')).toMatchObject({ code: 2 });
});

test('a list of reviews that is cut says so, and `next` goes on behind the last that was shown', async () => {
  const cards = Array.from({ length: 1_200 }, (_, n) => ({ ...card, id: `r-${n}` }));
  // As the console pages: as many as are asked for, behind the place of the cursor.
  answers = new Proxy(answers, {
    get(own, name: string) {
      if (!name.startsWith('GET /v1/reviews?')) return own[name];
      const query = new URLSearchParams(name.split('?')[1]);
      const limit = Number(query.get('limit') ?? 100);
      if (limit > 500) return { status: 400, body: { status: 400 } };
      const from = Number(query.get('cursor') ?? 0);
      const rest = cards.length > from + limit;
      return { body: { reviews: cards.slice(from, from + limit), next: rest ? String(from + limit) : null } };
    },
  });
  const listed = async (most: number) => {
    const found = JSON.parse((await run('review', 'list', '--json', '--limit', String(most))).out);
    return [found.reviews.length, found.reviews.at(-1).id, found.next];
  };
  expect(await listed(10)).toEqual([10, 'r-9', '10']);
  expect(await listed(750)).toEqual([750, 'r-749', '750']);
  expect(await listed(1_200)).toEqual([1_200, 'r-1199', null]);
  expect(await listed(2_000)).toEqual([1_200, 'r-1199', null]);
  const cut = (await run('review', 'list', '--limit', '50')).out;
  expect(cut).toContain('The search ended after review 50, and there are more. --before 50 continues');
  // What a list gives as `next` goes on where it ended, until nothing is left.
  const seen: string[] = [];
  for (let before: string | null = '0'; before !== null; ) {
    const { out } = await run('review', 'list', '--json', '--limit', '700', '--before', before);
    const found = JSON.parse(out) as { reviews: { id: string }[]; next: string | null };
    seen.push(...found.reviews.map(({ id }) => id));
    before = found.next;
  }
  expect(seen).toEqual(cards.map(({ id }) => id));
  expect((await run('review', 'list', '--limit', '1200')).out).not.toContain('there are more');
});

test('a dry run asks what the rules would say and answers nobody', async () => {
  reviewable();
  const verdict = {
    judged: true,
    outcome: 'refused',
    reasons: [{ rule: 'spend-cap', detail: 'over\nthe cap' }],
    at: now,
  };
  answers[`POST /v1/reviews/${card.id}/dry-run`] = { body: verdict };
  const refused = await run('review', 'dry-run', '3f2a', '--set', 'amountMinor=40000');
  expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('  over ⏎ the cap [spend-cap]') });
  expect(posted()).toMatchObject([
    { path: `/v1/reviews/${card.id}/dry-run`, body: { payload: { ...card.action?.payload, amountMinor: 40_000 } } },
  ]);
  answers[`POST /v1/reviews/${card.id}/dry-run`] = { body: { ...verdict, outcome: 'approved', reasons: [] } };
  expect(await run('review', 'dry-run', card.id, '--set', 'amountMinor=1')).toMatchObject({ code: 0 });
  answers[`POST /v1/reviews/${card.id}/dry-run`] = { body: { judged: false } };
  expect(await run('review', 'dry-run', card.id, '--set', 'amountMinor=1')).toMatchObject({ code: 1 });
});

test('notifications are listed with what came of each, and a test goes to a recipient', async () => {
  const row = { id: 'n-1', event: 'stop', title: 'a\nstop', recipient: 'lea', channel: 'mail', path: '/' };
  const times = { dueAt: now, madeAt: now, endedAt: null, messageId: null };
  const failed = { ...row, ...times, state: 'failed', detail: 'the mail server refused it' };
  answers['GET /v1/notifications?limit=20&state=failed'] = {
    body: { configured: true, notifications: [failed], next: 'cursor-1' },
  };
  const listed = await run('notifications', 'list', '--state', 'failed');
  expect(listed.code).toBe(1);
  expect(listed.out).toMatch(/failed +lea by mail +stop +a ⏎ stop: the mail server refused it\n/);
  expect(listed.out).toContain('Older ones: --before cursor-1');
  answers['GET /v1/notifications?limit=20'] = { body: { configured: false, notifications: [], next: null } };
  expect(await run('notifications')).toMatchObject({ code: 0, out: expect.stringContaining('names nobody') });
  expect(await run('notifications', '--state', 'lost')).toMatchObject({ code: 2 });
  answers['POST /v1/notifications/test'] = { status: 202, body: { notifications: [{ id: 'n-2', channel: 'mail' }] } };
  const sent = await run('notifications', 'test', 'lea', '--channel', 'mail');
  expect(sent).toMatchObject({ code: 0, out: expect.stringContaining('1 test message to lea by mail.') });
  expect(posted()).toMatchObject([{ body: { recipient: 'lea', channel: 'mail' } }]);
});

test('what is under way is told, and waited for until nothing is left', async () => {
  const queue = {
    scope: 'agent:paid-media-agent',
    tasks: { count: 0, first: [] },
    reviews: { count: 1, first: [{ id: card.id, detail: card.detail, deadline: card.deadline }] },
    approved: { count: 7, due: 2, first: [{ detail: 'send it', notBefore: now }] },
  };
  const path = `/v1/queue?scope=${encodeURIComponent(queue.scope)}`;
  answers[`GET ${path}`] = { body: queue };
  const { out, code } = await run('queue', '--agent', 'paid-media-agent');
  expect(code).toBe(1);
  expect(out).toContain('7 approved actions have not settled; 2 may be called this moment');
  expect(out).toContain('  and 6 more');
  expect(out).toContain(card.id);
  const empty = { ...queue, reviews: { count: 0, first: [] }, approved: { count: 0, due: 0, first: [] } };
  let looks = 0;
  answers[`GET ${path}`] = {
    get body() {
      looks += 1;
      return looks < 2 ? queue : empty;
    },
  };
  const drained = await run('queue', '--agent', 'paid-media-agent', '--wait', '600');
  expect(drained).toMatchObject({ code: 0, out: 'Nothing of agent:paid-media-agent is under way.\n' });
});

test('a run, a kind, an earlier policy and the caller are told as the pages tell them', async () => {
  const noStep = { agent: null, at: null, until: null, story: null, review: null };
  answers['GET /v1/ids?kind=run&begins=7c0d'] = { body: { id: '7c0d6c1e-0000-5000-8000-000000000001' } };
  answers['GET /v1/runs/7c0d6c1e-0000-5000-8000-000000000001'] = {
    body: {
      at: now,
      run: {
        ...{
          runId: '7c0d6c1e-0000-5000-8000-000000000001',
          playId: 'surge',
          startedAt: now,
          state: 'waiting',
          correlationId: 's-1',
        },
        subject: { kind: 'account', id: 'acme', name: 'Acme' },
        steps: [
          { ...noStep, state: 'done', title: 'It started', detail: '', at: now, story: 's-1' },
          {
            ...noStep,
            state: 'waits',
            title: 'A person agrees',
            detail: 'It waits.',
            at: now,
            until: now,
            review: 'c-1',
          },
          { ...noStep, state: 'ahead', title: 'It gives tasks', detail: 'No task is out yet.' },
        ],
      },
      more: true,
      actions: [
        { proposalId: 'p-1', detail: 'send it', at: now, state: 'refused', edited: false, reason: 'no\nconsent' },
      ],
    },
  };
  const shown = await run('plays', '--run', '7c0d');
  expect(shown.out).toContain('A run of surge for the account Acme (acme)  waiting, since 2026-11-21 10:00:00Z');
  expect(shown.out).toContain('countersign review show c-1');
  expect(shown.out).toMatch(/2026-11-21 10:00:00Z +done +It started +s-1/);
  expect(shown.out).toMatch(/waits +A person agrees +It waits\. The time ends 2026-11-21 10:00:00Z\./);
  expect(shown.out).toContain('It has more actions');
  expect(shown.out).toMatch(/refused +send it: no ⏎ consent/);
  expect(await run('plays', 'surge', '--run', '7c0d')).toMatchObject({ code: 2 });

  const payload = {
    properties: { amountMinor: { type: 'integer' }, note: { type: 'string' } },
    required: ['amountMinor'],
  };
  answers['GET /v1/kinds'] = {
    body: { kinds: [{ kind: 'ads.shift_budget', channel: 'advertising', reversible: true, payload }] },
  };
  expect((await run('kinds')).out).toMatch(/ads\.shift_budget +advertising +yes +amountMinor, note/);
  expect((await run('kinds', 'ads.shift_budget')).out).toMatch(/amountMinor +integer +required/);
  expect(await run('kinds', 'ads.lift')).toMatchObject({ code: 1 });

  const content = { charters: [{ agent: 'paid-media-agent' }], plays: [{ id: 'surge' }], sequences: [] };
  answers['GET /v1/policies/versions/3'] = {
    body: { version: 3, digest: 'd'.repeat(64), by: 'mia', publishedAt: now, content },
  };
  expect((await run('policy', 'show', '3')).out).toMatch(/^Policy 3 by mia at .*\n {2}charters +paid-media-agent/);

  answers['GET /v1/whoami'] = { body: { person: 'lea', roles: ['viewer', 'reviewer'] } };
  expect(await run('whoami')).toMatchObject({ code: 0, out: 'lea: viewer, reviewer\n' });
});

test('lists that go on are read on from where they ended', async () => {
  const { figures, ...agent } = {
    figures: { ...noFigures },
    agent: 'a-1',
    owner: null,
    stops: [],
    from: '',
    since: now,
    tokensSince: now,
  };
  answers['GET /v1/agents/a-1?days=30'] = { body: { ...agent, figures, charter: [] } };
  answers['GET /v1/agents/a-1/actions?limit=20'] = { body: { actions: [], next: 'n-1' } };
  answers['GET /v1/agents/a-1/actions?limit=20&before=n-1'] = { body: { actions: [], next: null } };
  expect((await run('agents', 'a-1')).out).toContain('Older ones: --before n-1');
  expect((await run('agents', 'a-1', '--before', 'n-1')).out).not.toContain('Older ones');
  answers['GET /v1/stories?limit=20&before=n-2'] = {
    body: { stories: [], chains: [{ id: 'x', detail: 'y', at: now }], next: 'n-3' },
  };
  expect((await run('stories', '--before', 'n-2')).out).toContain('Older ones: --before n-3');
  answers['GET /v1/people?limit=50&cursor=n-4'] = { body: { people: [], next: null } };
  expect(await run('people', '--before', 'n-4')).toMatchObject({ code: 1 });
});

const noFigures = {
  ...{ proposed: 0, approved: 0, refused: 0, escalated: 0, refusedBy: {} },
  answers: { approve: 0, edit: 0, reject: 0 },
  tokens: {
    ...{ state: 'no-model', models: [], calls: 0, unknownCalls: 0 },
    ...{ input: null, output: null, perProposal: null },
  },
};

/** A record of two events, of which the console keeps the first, with its proof. */
function proven() {
  const bytes = eventBytes({ key: null, headers: { ce_id: 'e-1' }, value: Buffer.from('{}') });
  const place = { topic: 'actions.refused.v1', partition: 0, offset: '7', source: '/s', id: 'e-1' };
  const hashes = [leafHash({ ...place, sha256: sha256(bytes) }), sha256(Buffer.from('another'))];
  const { frontier } = append(emptyFrontier, hashes);
  const note = signCheckpoint({ origin: key.name, size: 2, root: rootOf(frontier) }, [key]);
  const event = { ...place, bytes: Buffer.from(bytes).toString('base64') };
  const proof = [Buffer.from(hashes[1] as Uint8Array).toString('base64')];
  const digest = Buffer.from(sha256(bytes)).toString('hex');
  const inclusion = `GET /v1/proofs/inclusion?topic=actions.refused.v1&partition=0&offset=7&sha256=${digest}`;
  const step = { ...place, id: '12', at: now, type: 'ActionRefused', detail: 'refused: over the cap', provable: true };
  answers['GET /v1/stories/p-1'] = {
    body: { story: null, steps: [{ ...step, by: { name: 'guardrail-validator' } }], more: false, complete: true },
  };
  answers['GET /v1/events/12/record'] = { body: event };
  answers[inclusion] = { body: { index: 0, topicId: null, checkpoint: note, proof } };
  return { event, inclusion, note, proof };
}

test('each step of a story is proved here, and what the proof does not hold is wrong', async () => {
  const { event, inclusion, note, proof } = proven();
  const prove = (...more: string[]) => run('stories', 'p-1', '--prove', '--key', formatVerifierKey(key), ...more);
  const good = await prove();
  expect(good).toMatchObject({
    code: 0,
    out: expect.stringMatching(/over the cap +proved, in the record of 2 entries/),
  });
  expect(good.out).not.toContain('The key came from the console');

  answers[inclusion] = { body: { index: 1, topicId: null, checkpoint: note, proof } };
  expect(await prove()).toMatchObject({ code: 1, out: expect.stringContaining('WRONG: the proof does not lead') });
  answers[inclusion] = { status: 404, body: { status: 404, detail: 'no record' } };
  expect(await prove()).toMatchObject({ code: 1, out: expect.stringContaining('NOT ON RECORD') });
  answers[inclusion] = { status: 409, body: { status: 409, detail: 'nothing is signed yet' } };
  expect(await prove()).toMatchObject({ code: 1, out: expect.stringContaining('no checkpoint signs it yet') });

  // Another key has signed, and the key of the console is told as such.
  answers[inclusion] = { body: { index: 0, topicId: null, checkpoint: note, proof } };
  const other = signingKey(key.name, generateKeyPairSync('ed25519').privateKey);
  answers['GET /v1/record'] = { body: { url: null, key: formatVerifierKey(other), latest: null } };
  const foreign = await run('stories', 'p-1', '--prove');
  expect(foreign).toMatchObject({
    code: 1,
    out: expect.stringContaining("WRONG: the record's checkpoint does not verify"),
  });
  expect(foreign.out).toContain('The key came from the console itself');
  expect(event.id).toBe('e-1');
});

test('a story of which not every step was there to be proved is not proved, and what is missing is said', async () => {
  proven();
  const prove = () => run('stories', 'p-1', '--prove', '--key', formatVerifierKey(key));
  const found = answers['GET /v1/stories/p-1']?.body as { steps: object[] };
  answers['GET /v1/stories/p-1'] = { body: { ...found, steps: [] } };
  const none = await prove();
  expect(none).toMatchObject({
    code: 1,
    out: expect.stringContaining('Nothing was proved: the console no longer has'),
  });
  answers['GET /v1/stories/p-1'] = { body: { ...found, more: true } };
  expect(await prove()).toMatchObject({
    code: 1,
    out: expect.stringContaining('Not every step was proved: the story has more'),
  });
  const story = { id: 'p-1', sentence: 'send it', outcome: 'refused', reason: null, agent: 'a', startedAt: now };
  answers['GET /v1/stories/p-1'] = { body: { ...found, story } };
  const begun = await prove();
  expect(begun).toMatchObject({ code: 1, out: expect.stringContaining('does not have the first steps') });
  const proposed = { ...found, story, steps: found.steps.map((step) => ({ ...step, type: 'ActionProposed' })) };
  answers['GET /v1/stories/p-1'] = { body: proposed };
  expect((await prove()).code).toBe(0);
  // Also of a chain that led to no proposal.
  for (const later of [proposed, found]) {
    answers['GET /v1/stories/p-1'] = { body: { ...later, complete: false } };
    expect(await prove()).toMatchObject({ code: 1, out: expect.stringContaining('does not have the first steps') });
    expect((await run('stories', 'p-1')).out).toContain('The console does not have its first steps');
    expect(JSON.parse((await run('stories', 'p-1', '--prove', '--key', formatVerifierKey(key), '--json')).out)).toEqual(
      expect.objectContaining({ complete: false, missing: expect.stringContaining('Not every step was proved') }),
    );
  }
  answers['GET /v1/stories/p-1'] = {
    body: { ...found, steps: found.steps.map((step) => ({ ...step, provable: false })) },
  };
  expect(await prove()).toMatchObject({ code: 1, out: expect.stringContaining('the console no longer has its bytes') });

  answers['GET /v1/record/checkpoints?limit=20'] = { body: { checkpoints: [], next: null } };
  const checkpoints = await run('checkpoints', '--prove', '--key', formatVerifierKey(key));
  expect(checkpoints).toMatchObject({ code: 1, out: expect.stringContaining('Nothing was proved') });
  expect((await run('checkpoints')).code).toBe(0);
});

test('an option of a proof or of a list that would do nothing is misused', async () => {
  const misused = async (...words: string[]) => {
    const { err, code } = await run(...words);
    expect([words, code, asked]).toEqual([words, 2, []]);
    return err;
  };
  expect(await misused('stories', '--prove')).toContain('--prove needs the id of a story');
  expect(await misused('stories', '--key', 'k')).toContain('--key works only with --prove');
  expect(await misused('stories', 'p-1', '--key', 'k')).toContain('--key works only with --prove');
  expect(await misused('stories', 'p-1', '--outcome', 'refused')).toContain('--outcome works only for the list');
  expect(await misused('checkpoints', '--key', 'k')).toContain('--key works only with --prove');
  expect(await misused('controls', '--limit', '5')).toContain('they need --lifted');
});

test('the record proves that it begins with the checkpoints that were seen, or the answer is 1', async () => {
  const { note } = proven();
  const seen = { size: 2, root: 'r', origin: key.name, note, at: now };
  answers['GET /v1/record/checkpoints?limit=20'] = { body: { checkpoints: [seen], next: 2 } };
  const listed = await run('checkpoints');
  expect(listed).toMatchObject({ code: 0, out: expect.stringContaining('Smaller ones: --before 2') });
  answers['GET /v1/proofs/consistency?from=2'] = { body: { from: 2, to: 2, checkpoint: note, proof: [] } };
  const prove = () => run('checkpoints', '--prove', '--key', formatVerifierKey(key));
  expect(await prove()).toMatchObject({ code: 0, out: expect.stringContaining('proved') });
  const changed = signCheckpoint({ origin: key.name, size: 2, root: sha256(Buffer.from('x')) }, [key]);
  answers['GET /v1/proofs/consistency?from=2'] = { body: { from: 2, to: 2, checkpoint: changed, proof: [] } };
  expect(await prove()).toMatchObject({ code: 1, out: expect.stringContaining('something was changed or taken out') });
});

test('what changes is told as it happens, one line each, and what was there before is not', async () => {
  const event = (name: string, more: object) => `event: ${name}\ndata: ${JSON.stringify({ at: now, ...more })}\n\n`;
  answers['GET /v1/live'] = { body: event('alive', {}) + event('changed', { parts: ['reviews', 'people'] }) };
  let looks = 0;
  answers['GET /v1/reviews?limit=200'] = {
    get body() {
      looks += 1;
      return {
        reviews:
          looks === 1
            ? [card]
            : [
                { ...card, state: 'expired' },
                { ...card, id: 'r-2', detail: 'a\nb' },
              ],
      };
    },
  };
  answers['GET /v1/stories?limit=100'] = { body: { stories: [], chains: [], next: null } };
  answers['GET /v1/controls'] = { body: { controls: [] } };
  answers['GET /v1/dead-letters?limit=100'] = { body: { deadLetters: [] } };
  answers['GET /v1/reviews?state=open&limit=500'] = { body: { reviews: [], next: null } };
  const { out, code } = await run('watch', '--lines', '2');
  expect(code).toBe(0);
  const lines = out.trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/2026-11-21 10:00:00Z +review +expired +move EUR 600\.00/);
  expect(lines[1]).toMatch(/review +open +a ⏎ b +r-2$/);
  answers['GET /v1/live'] = { body: event('ended', {}) };
  expect(await run('watch')).toMatchObject({ code: 2, err: expect.stringContaining('ended the session') });
});

const event = (name: string, more: object = {}) => `event: ${name}\ndata: ${JSON.stringify({ at: now, ...more })}\n\n`;
const nothing = () => {
  answers['GET /v1/reviews?state=open&limit=500'] = { body: { reviews: [], next: null } };
  answers['GET /v1/reviews?limit=200'] = { body: { reviews: [], next: null } };
  answers['GET /v1/stories?limit=100'] = { body: { stories: [], chains: [], next: null } };
  answers['GET /v1/controls'] = { body: { controls: [] } };
  answers['GET /v1/dead-letters?limit=100'] = { body: { deadLetters: [] } };
};
/** One answer after another; the last again and again. */
const oneByOne = (...each: { status?: number; body: unknown }[]) => {
  let n = 0;
  const current = () => each[Math.min(n, each.length - 1)];
  return {
    get status() {
      return current()?.status ?? 200;
    },
    get body() {
      const { body } = current() ?? {};
      n += 1;
      return body;
    },
  };
};

test('who watches is told of what changed while the console was away, and that it was', async () => {
  nothing();
  answers['GET /v1/live'] = oneByOne(
    { body: event('alive') },
    { status: 503, body: { status: 503, detail: 'it starts' } },
    { body: event('alive') },
  );
  const control = { scope: 'all', state: 'stopped', by: 'lea', reason: 'r', confirmed: true };
  answers['GET /v1/controls'] = oneByOne({ body: { controls: [] } }, { body: { controls: [control] } });
  const { out, err, code } = await run('watch', '--lines', '1');
  expect(code).toBe(0);
  expect(out).toMatch(/control +stopped, confirmed +by lea: r/);
  expect(err.trimEnd().split('\n')).toEqual([
    'countersign: the console has ended the stream; trying again in 1 s',
    'countersign: console: it starts; trying again in 2 s',
  ]);
}, 20_000);

test('a console that was never there, and one that lets nobody in, end the watch', async () => {
  nothing();
  answers['GET /v1/live'] = { status: 503, body: { status: 503, detail: 'it starts' } };
  expect(await run('watch')).toMatchObject({ code: 2, err: 'countersign: console: it starts\n' });
  answers['GET /v1/live'] = oneByOne({ body: event('alive') }, { status: 401, body: { status: 401 } });
  expect(await run('watch')).toMatchObject({ code: 2, err: expect.stringContaining('it does not know this token') });
}, 20_000);

test('who watches is told of every open review, and of what became of one that is in no list any more', async () => {
  nothing();
  answers['GET /v1/live'] = { body: event('alive') + event('changed', { parts: ['reviews'] }) };
  const old = { ...card, id: 'r-old', detail: 'behind the first page' };
  answers['GET /v1/reviews?state=open&limit=500'] = { body: { reviews: [], next: 'c-1' } };
  answers['GET /v1/reviews?state=open&limit=500&cursor=c-1'] = oneByOne(
    { body: { reviews: [{ ...card, id: 'r-forgotten' }, old], next: null } },
    { body: { reviews: [{ ...card, id: 'r-2', detail: 'another one' }], next: null } },
  );
  answers['GET /v1/reviews/r-old'] = { body: { ...old, state: 'expired' } };
  answers['GET /v1/reviews/r-forgotten'] = { status: 404, body: { status: 404, detail: 'nobody escalated it' } };
  const { out, code } = await run('watch', '--lines', '2');
  expect(code).toBe(0);
  expect(out).toMatch(/open +another one +r-2\n.*expired +behind the first page +r-old\n$/);
});

test('who watches reads what became of a checkpoint in the words of its card', async () => {
  nothing();
  answers['GET /v1/live'] = { body: event('alive') + event('changed', { parts: ['reviews'] }) };
  const ending = { outcome: 'suppressed', reason: { detail: 'a stop holds' }, next: 'n', at: now };
  const checkpoint = (id: string, more: object) => ({ ...card, id, subject: 'checkpoint', ...more });
  answers['GET /v1/reviews?limit=200'] = oneByOne(
    { body: { reviews: ['c-1', 'c-2', 'c-3'].map((id) => checkpoint(id, {})) } },
    {
      body: {
        reviews: [
          checkpoint('c-1', { state: 'approved' }),
          checkpoint('c-2', { state: 'refused', ending }),
          checkpoint('c-3', { state: 'refused', ending: { ...ending, outcome: 'rejected' } }),
        ],
      },
    },
  );
  const { out } = await run('watch', '--lines', '3');
  expect(out.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/review +tasks went out +.*c-1$/),
    expect.stringMatching(/review +approved, no task went out +.*c-2$/),
    expect.stringMatching(/review +rejected +.*c-3$/),
  ]);
});

test('a look that fails does not end the waiting for an empty queue', async () => {
  const none = { count: 0, first: [] };
  const empty = { scope: 'all', tasks: none, reviews: none, approved: { ...none, due: 0 } };
  const busy = { ...empty, tasks: { count: 1, first: [] } };
  const down = { status: 503, body: { status: 503, detail: 'it starts' } };
  answers['GET /v1/queue?scope=all'] = oneByOne({ body: busy }, down, { body: empty });
  const drained = await run('queue', '--all', '--wait', '600');
  expect(drained).toMatchObject({ code: 0, out: 'Nothing is under way.\n' });
  expect(drained.err).toBe('countersign: console: it starts; trying again in 1 s\n');
  answers['GET /v1/queue?scope=all'] = oneByOne({ body: busy }, down);
  expect(await run('queue', '--all', '--wait', '0.5')).toMatchObject({
    code: 2,
    err: 'countersign: console: it starts\n',
  });
}, 20_000);
