import { setTimeout as sleep } from 'node:timers/promises';
import { acts, explained, healthPage, type Session, statusOnly } from '@countersign/client';
import {
  type Confirmed,
  type Control,
  type Health,
  Misused,
  type Now,
  type Participants,
  printable,
} from '@countersign/client/core';
import { deploymentFileOf } from '@countersign/contracts';
import type { Command } from 'commander';
import { wrongIn } from '../../core/health.js';
import { type Queue, queueText, underWay } from '../../core/queue-text.js';
import { confirmedText, controlsText, healthText, liftedText, statusText } from '../../core/render.js';
import { type ScopeOptions, scopeName, scopeOf } from '../../core/scope.js';
import { mostOf, rowsOf } from '../pages.js';
import { patient } from '../patience.js';

export function statusCommands(program: Command): void {
  const status = program
    .command('status')
    .description('the funnel from signals to effects, what is stopped, who takes part, and the health of each service');
  explained(status, ['status', 'status --json'], 'a service is not healthy');
  acts(status, async (s) => {
    const health = await Promise.all(
      Object.entries(s.installation.urls).map(([service, url]) => healthOf(s, service, url)),
    );
    const [now, participants] = await Promise.all([s.console.get<Now>('/v1/now'), participantsOf(s)]).catch(
      (error: unknown) => {
        // Without the console or the configuration, the command still shows which services are running.
        s.note(healthText(s.paint, health));
        throw error;
      },
    );
    const { funnel, stops: controls } = now;
    s.answer({ funnel, controls, now, participants, health }, statusText(s.paint, now, participants, health));
    return health.every((service) => service.status === 'ok');
  });

  const controls = program
    .command('controls')
    .description('what is stopped, by whom and why')
    .option('--lifted', 'also the stops that were lifted, the latest first')
    .option('--before <cursor>', 'with --lifted: continue a list where it ended; the list prints the value')
    .option('--limit <n>', 'with --lifted: how many of these, at most; 100 if it is absent');
  explained(controls, ['controls', 'controls --lifted --limit 20', 'controls --json']);
  acts(controls, async (s, options: { lifted?: true; before?: string; limit?: string }) => {
    if (!options.lifted && (options.before ?? options.limit) !== undefined)
      throw new Misused('--before and --limit continue and cut the list of lifted stops: they need --lifted');
    const most = mostOf(options.limit ?? '100');
    const { controls: stops } = await s.console.get<{ controls: readonly Control[] }>('/v1/controls?state=stopped');
    if (!options.lifted) {
      s.answer({ controls: stops }, controlsText(s.paint, stops));
      return undefined;
    }
    const lifted = await rowsOf<Control>(s, '/v1/controls?state=running', 'controls', most, options.before);
    const text = [controlsText(s.paint, stops), liftedText(s.paint, lifted.rows)]
      .filter((part) => part !== '')
      .join('\n\n');
    s.answer({ controls: [...stops, ...lifted.rows], next: lifted.next }, text);
    if (lifted.next !== null) s.note(`More stops were lifted. --before ${printable(lifted.next)} continues.`);
    return undefined;
  });

  const queue = named(
    program
      .command('queue')
      .description('what is under way, which is what a stop reaches: approved actions, open reviews, tasks'),
  ).option('--wait <seconds>', 'wait until nothing is left, at most so many seconds');
  explained(
    queue,
    ['queue --all', 'queue --agent paid-media-agent', 'queue --agent paid-media-agent --wait 3600'],
    'something is under way',
  );
  acts(queue, async (s, options: ScopeOptions & { wait?: string }) => {
    const scope = scopeOf(options);
    const seconds = options.wait === undefined ? 0 : Number(options.wait);
    if (!(seconds >= 0)) throw new Misused(`--wait ${options.wait}: a number of seconds is expected`);
    const look = () => s.console.get<Queue>(`/v1/queue?scope=${encodeURIComponent(scope)}`);
    const until = performance.now() + seconds * 1000;
    let now = await look();
    while (underWay(now) > 0 && performance.now() < until) {
      s.progress(`${underWay(now)} under way`);
      await sleep(1_000);
      now = await patient(s, until, look);
    }
    s.answer(now, queueText(s.paint, now));
    return underWay(now) === 0;
  });

  const words = {
    stop: ['stopped', 'stop an agent, a play, a channel, an account, or everything'],
    resume: ['running', 'end a stop'],
  } as const;
  for (const [name, [state, detail]] of Object.entries(words)) {
    const command = named(program.command(name).description(detail)).requiredOption(
      '--reason <text>',
      'why; it is kept on the record',
    );
    explained(
      command,
      [`${name} --agent paid-media-agent --reason "bids look wrong"`, `${name} --all --reason "incident 12"`],
      'you do not have the role, or the validator and every executor have not confirmed it yet',
    );
    acts(command, (s, options: ScopeOptions & { reason: string }) =>
      change(s, scopeOf(options), state, options.reason),
    );
  }
}

/** The scopes that a command may be about. */
const named = (command: Command): Command =>
  command
    .option('--all', 'everything')
    .option('--agent <name>', 'one agent')
    .option('--play <id>', 'one play')
    .option('--channel <channel>', 'email, advertising or crm')
    .option('--account <id>', 'one CRM account or ad account');

async function change(s: Session, scope: string, state: Control['state'], reason: string): Promise<boolean> {
  const answer = await s.console.post<{ changed: boolean; control: Control | null } & Confirmed>('/v1/controls', {
    scope,
    state,
    reason,
  });
  const { control } = printable(answer);
  const name = scopeName(scope, control?.name);
  // Another stop may still cover the scope, so a resume does not say that it runs.
  const done =
    state === 'stopped'
      ? s.paint.red(scope === 'all' ? 'Everything is stopped.' : `${name} is stopped.`)
      : s.paint.green(`The stop of ${name} has ended. What else is stopped: countersign controls`);
  const already = control
    ? `Nothing changed: ${name} is ${state} already, by ${control.by}: ${control.reason}`
    : `Nothing changed: ${name} was never stopped.`;
  s.answer(answer, `${answer.changed ? done : already}\n${confirmedText(s.paint, answer)}`);
  return answer.confirmed;
}

/** Returns nothing if only addresses are known, as on another machine. If a configuration is named, it must be readable. */
async function participantsOf(s: Session): Promise<Participants | undefined> {
  const { deployment, from } = s.installation;
  if (deploymentFileOf(process.env) === undefined && (from === undefined || deployment === undefined)) return undefined;
  const { sources, agents, executors } = s.deployment();
  return { sources: sources.map(({ name }) => name), agents, executors };
}

async function healthOf(s: Session, service: string, url: string): Promise<Health> {
  const page = await healthPage(s, url, 3_000);
  const status = page ? (page.status ?? `status ${page.code}`) : 'unreachable';
  const untold = page?.status !== undefined && page.checks === undefined && status !== 'ok';
  return { service, url, status, wrong: untold ? [statusOnly] : wrongIn(page?.checks ?? {}) };
}
