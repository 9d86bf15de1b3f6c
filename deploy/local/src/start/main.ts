import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { firstStart, playSample, type StoryResult, sample, sampleSeed } from '@countersign/sample';
import { workspaceRoot } from '@countersign/servers';
import logUpdate from 'log-update';
import pc from 'picocolors';
import { consoleLink, openInBrowser, opensBrowser } from './console-link.js';
import { folderNote } from './folder-note.js';
import { counter, line } from './funnel.js';
import { removeForClients } from './installation.js';
import { observe } from './observe.js';
import { type Running, startEverything } from './running.js';
import { samplePorts } from './sample-ports.js';
import { unknownVariables } from './services.js';

const help = `npm start [-- options]    starts broker, database and all services, and plays the sample

  --no-sample   plays nothing
  --no-open     opens no browser; the console's link is printed all the same
  --adopt ID    takes over a broker or a database that belongs to installation ID, for good; may be given again.
                Only after a refusal that names ID: see docs/sre.md
  --exit        stops cleanly after the sample; exit status 0, or 1 if a service was given up or a story ended differently
  --help        this text

State lives in .countersign/ (COUNTERSIGN_HOME moves it); npm run reset removes it.
KAFKA_BROKERS, with KAFKA_ADMIN_USERNAME and KAFKA_ADMIN_PASSWORD, uses a broker of yours; DATABASE_URL a database of yours.

Examples
  npm start
  npm start -- --exit
  npm start -- --no-sample
  SIGNAL_INGESTION_PORT=9081 npm start
`;

interface Options {
  readonly adopt: readonly string[];
  readonly sample: boolean;
  readonly exit: boolean;
  readonly open: boolean;
}

/** Runs \`npm start\`; resolves to the exit status. */
export async function main(argv: readonly string[], out: NodeJS.WriteStream = process.stdout): Promise<number> {
  const options = readOptions(argv, out);
  if (typeof options === 'number') return options;
  const home = process.env.COUNTERSIGN_HOME || join(workspaceRoot, '.countersign');
  const began = Date.now();
  const log = (text: string): void =>
    void out.write(`${pc.dim(`${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s`)}  ${text}\n`);
  for (const name of unknownVariables(process.env))
    log(pc.yellow(`${name} is set, and nothing reads a variable of this name: see docs/configuration.md`));
  const interrupted = interruption();

  let running: Running;
  try {
    running = await startEverything({ home, log, adopt: options.adopt, restarts: true });
  } catch (error) {
    out.write(`\n${pc.red('Countersign did not start.')} ${error instanceof Error ? error.message : String(error)}\n`);
    out.write(`Logs: ${relative(join(home, 'logs'))}\n`);
    return 1;
  }
  const where = `addresses are in ${relative(join(home, 'run.json'))}, credentials in ${relative(join(home, 'credentials'))}`;
  if (running.degraded.length === 0) log(`everything is healthy; ${where}`);
  else
    log(`everything runs, but ${running.degraded.join(', ')} need somebody to look: npx countersign status; ${where}`);
  const link = await consoleLink(running);
  // First of all, since the sample takes a while and can be watched there.
  if (link) {
    out.write(`\n${pc.bold('Open the console:')} ${link}\n`);
    out.write(`${pc.dim('The link works once, for ten minutes; npx countersign sign-in makes a new one.')}\n`);
    if (opensBrowser(out, options.open && !options.exit, process.env)) await openInBrowser(link);
  } else
    out.write(
      `\n${pc.yellow('The console gave no link to sign in.')} It may be busy. Run npx countersign sign-in for one; npx countersign status shows how the console is.\n`,
    );
  const note = await folderNote(running);
  if (note !== undefined) out.write(`\n${pc.yellow(note)}\n`);

  let status = 0;
  // A service ended by itself. If a story ended differently, that is no reason to stop, because a person can look at it.
  let lost = false;
  let results: readonly StoryResult[] = [];
  const watching = await observe(
    running.kafka('console'),
    `console.start-${process.pid}-${began}`,
    running.topics.filter((t) => t.readers.includes('console')),
  );
  const funnel = counter();
  for (const event of watching.events) funnel.count(event);
  watching.onEvent((event) => funnel.count(event));
  const failure = running.failed.then((failed) => ({ failed }));
  const stopped = interrupted.promise.then(() => ({ stopped: true as const }));
  try {
    if (options.sample) {
      const played = await Promise.race([
        play(running, home, watching.events, () => line(funnel.funnel), out),
        failure,
        stopped,
      ]);
      if ('failed' in played) lost = true;
      else if ('results' in played) {
        results = played.results;
        if (results.some((story) => !story.ok)) status = 1;
        out.write(`\n${stories(results)}\n${further()}\n`);
      }
    }
    if (!options.exit && !lost && !interrupted.done()) {
      out.write(`${pc.bold('Serving.')} Ctrl-C stops.\n`);
      // If one service is missing, the others continue. Without broker or database nothing works.
      await Promise.race([running.broken, stopped]);
    }
    const failed = await Promise.race([failure, Promise.resolve(undefined)]);
    if (failed) {
      status = 1;
      const { name, lines } = failed.failed;
      out.write(`\n${pc.red(`${name} was given up; its last lines:`)}\n  ${lines.slice(-8).join('\n  ')}\n`);
    }
  } catch (error) {
    status = 1;
    out.write(`\n${pc.red('The sample did not end:')} ${error instanceof Error ? error.message : String(error)}\n`);
  }
  out.write(`${pc.dim('stopping: draining the services, then database and broker')}\n`);
  await watching.stop();
  await running.stop();
  removeForClients(home);
  if (options.exit) out.write(`\n${line(funnel.funnel)}\n${results.length > 0 ? `${summary(results)}\n` : ''}`);
  return status;
}

async function play(
  running: Running,
  home: string,
  events: Parameters<typeof samplePorts>[1],
  current: () => string,
  out: NodeJS.WriteStream,
): Promise<{ results: readonly StoryResult[] }> {
  const file = join(home, 'sample.json');
  const again = existsSync(file);
  const { start, seed } = firstStart(file, new Date().toISOString(), sampleSeed);
  out.write(
    `\n${again ? `playing the sample of ${start} again: the same ids, nothing runs twice` : 'playing the sample: two weeks of signals, nine stories'}\n`,
  );
  let note = '';
  const live = out.isTTY ? logUpdate : undefined;
  const show = (): void => live?.(`  ${current()}${note ? `\n  ${pc.dim(note)}` : ''}`);
  const timer = setInterval(() => (live ? show() : out.write(`  ${current()}\n`)), live ? 100 : 3_000);
  const ports = samplePorts(running, events, (progress) => {
    note =
      progress.kind === 'published'
        ? `published ${progress.signals} signals of ${progress.source}`
        : progress.kind === 'acted'
          ? progress.detail
          : `told: ${progress.story.title}`;
  });
  try {
    const results = await playSample(sample(start, seed), ports);
    note = '';
    show();
    live?.done();
    if (!live) out.write(`  ${current()}\n`);
    return { results };
  } finally {
    clearInterval(timer);
    live?.done();
    await ports.close();
  }
}

const stories = (results: readonly StoryResult[]): string =>
  results
    .map((story) => `${story.ok ? pc.green('✓') : pc.red('✗')} ${pc.bold(`${story.title}:`)} ${story.detail}`)
    .join('\n');

const summary = (results: readonly StoryResult[]): string => {
  const wrong = results.filter((story) => !story.ok);
  return wrong.length === 0
    ? `${results.length} of ${results.length} stories ended as they should`
    : `${wrong.length} of ${results.length} stories ended differently: ${wrong.map((s) => s.title).join('; ')}`;
};

const further = (): string =>
  [
    '',
    'Look further, in another terminal:',
    '  npx countersign sign-in             a new link into the console',
    '  npx countersign status              the funnel, stops and the health of each service',
    '  npx countersign show <any id>       the story of one action in plain words',
    '  npx countersign review list         what waits for a person',
    '  npx countersign stop --all --reason "…"   stops everything; resume lifts it',
    '  npx countersign verify              checks the whole record',
    '',
  ].join('\n');

function readOptions(argv: readonly string[], out: NodeJS.WriteStream): Options | number {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        'no-sample': { type: 'boolean' },
        'no-open': { type: 'boolean' },
        adopt: { type: 'string', multiple: true },
        exit: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      out.write(help);
      return 0;
    }
    return {
      sample: !values['no-sample'],
      adopt: values.adopt ?? [],
      exit: values.exit === true,
      open: !values['no-open'],
    };
  } catch (error) {
    out.write(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    return 2;
  }
}

/** npm passes on a Ctrl-C that the terminal has sent to everybody. Signals within this time are one request. */
const sameRequestMs = 200;

/** The first Ctrl-C or SIGTERM asks for a clean stop; a third one ends at once. */
function interruption(): { promise: Promise<void>; done(): boolean } {
  let count = 0;
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((r) => {
    resolve = r;
  });
  let last = Number.NEGATIVE_INFINITY;
  const asked = (): void => {
    const at = performance.now();
    if (at - last < sameRequestMs) return;
    last = at;
    count++;
    resolve();
    if (count >= 3) process.exit(130);
  };
  process.on('SIGINT', asked);
  process.on('SIGTERM', asked);
  process.on('SIGHUP', asked);
  return { promise, done: () => count > 0 };
}

const relative = (path: string): string =>
  path.startsWith(`${process.cwd()}/`) ? path.slice(process.cwd().length + 1) : path;
