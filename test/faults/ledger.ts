import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DataOf, type EventType, type Service, topology } from '@countersign/contracts';
import { type Observed, observe, type Running } from '@countersign/local';

/** The results of one account's signals, each event once. */
export interface Story {
  readonly tasks: Map<string, DataOf<'TaskAssigned'>>;
  readonly answers: Map<string, DataOf<'TaskSettled'>>;
  readonly proposals: Map<string, DataOf<'ActionProposed'>>;
  readonly escalated: Map<string, DataOf<'ActionEscalated'>>;
  readonly approved: Map<string, DataOf<'ActionApproved'>>;
  readonly refused: Map<string, DataOf<'ActionRefused'>>;
  readonly settled: Map<string, DataOf<'ActionSettled'>>;
}

/** What the topics contain, read once and indexed for the questions below. */
export interface Ledger {
  readonly events: readonly Observed[];
  readonly accepted: ReadonlySet<string>;
  readonly escalations: ReadonlyMap<string, DataOf<'ActionEscalated'>>;
  readonly controls: ReadonlyMap<string, readonly DataOf<'ControlChanged'>[]>;
  readonly deadLetters: readonly DataOf<'DeadLetter'>[];
  /** Things that exist twice although their ids say that they are one: two tasks with an id, two verdicts on a proposal. */
  readonly twice: readonly string[];
  story(accountId: string): Story;
  /** When a service sent its first event that was not there before `since`; undefined while it has sent none. */
  firstOf(service: Service, since: number): number | undefined;
  /** When a service had first dealt with each of these accounts; undefined while one is missing. */
  through(service: Service, accounts: readonly string[]): number | undefined;
  stop(): Promise<void>;
}

/** Follows every topic that the console may read, from the beginning. */
export async function follow(running: Running): Promise<Ledger> {
  const topics = topology().filter((topic) => topic.readers.includes('console'));
  const watching = await observe(running.kafka('console'), `console.faults-${randomUUID()}`, topics);
  const known = new Set<string>();
  const distinct: Observed[] = [];
  const accepted = new Set<string>();
  const escalations = new Map<string, DataOf<'ActionEscalated'>>();
  const controls = new Map<string, DataOf<'ControlChanged'>[]>();
  const deadLetters: DataOf<'DeadLetter'>[] = [];
  const twice: string[] = [];
  const stories = new Map<string, Story>();
  const accountOf = new Map<string, string>();
  const sent = new Map<Service, { at: number; account: string | undefined }[]>();

  const story = (accountId: string): Story => {
    let found = stories.get(accountId);
    if (!found) {
      found = {
        tasks: new Map(),
        answers: new Map(),
        proposals: new Map(),
        escalated: new Map(),
        approved: new Map(),
        refused: new Map(),
        settled: new Map(),
      };
      stories.set(accountId, found);
    }
    return found;
  };
  const put = <T>(what: string, into: Map<string, T>, id: string, data: T): void => {
    if (into.has(id)) twice.push(`${what} ${id}`);
    into.set(id, data);
  };
  const readers: { readonly [T in EventType]?: (data: DataOf<T>) => string | undefined } = {
    SignalAccepted: (data) => {
      if (accepted.has(data.signalId)) twice.push(`accepted signal ${data.signalId}`);
      accepted.add(data.signalId);
      return data.accountId;
    },
    TaskAssigned: (data) => {
      put('task', story(data.accountId ?? '').tasks, data.taskId, data);
      accountOf.set(data.taskId, data.accountId ?? '');
      return data.accountId;
    },
    TaskSettled: (data) => {
      const account = accountOf.get(data.taskId);
      put('answer', story(account ?? '').answers, data.taskId, data);
      return account;
    },
    ActionProposed: (data) => {
      put('proposal', story(data.action.accountId ?? '').proposals, data.proposalId, data);
      accountOf.set(data.proposalId, data.action.accountId ?? '');
      return data.action.accountId;
    },
    ActionEscalated: (data) => {
      put('escalation', story(data.action.accountId ?? '').escalated, data.proposalId, data);
      escalations.set(data.proposalId, data);
      return data.action.accountId;
    },
    ActionApproved: (data) => {
      put('permit', story(data.action.accountId ?? '').approved, data.proposalId, data);
      accountOf.set(data.permitId, data.action.accountId ?? '');
      return data.action.accountId;
    },
    ActionRefused: (data) => {
      const account = accountOf.get(data.proposalId);
      put('refusal', story(account ?? '').refused, data.proposalId, data);
      return account;
    },
    ActionSettled: (data) => {
      const account = accountOf.get(data.permitId);
      put('settlement', story(account ?? '').settled, data.permitId, data);
      return account;
    },
    ControlChanged: (data) => {
      controls.set(data.scope, [...(controls.get(data.scope) ?? []), data]);
      return undefined;
    },
    DeadLetter: (data) => {
      deadLetters.push(data);
      return undefined;
    },
  };
  const take = (event: Observed): void => {
    const name = `${event.source} ${event.id}`;
    if (known.has(name)) return;
    known.add(name);
    distinct.push(event);
    const read = readers[event.type as EventType] as ((data: unknown) => string | undefined) | undefined;
    const account = read?.(event.data);
    const service = event.source.slice('/countersign/'.length) as Service;
    const list = sent.get(service) ?? [];
    sent.set(service, list);
    list.push({ at: event.sentAt, account });
  };
  // Topics have no common order. The event that names a task or a permit is looked up later, so that no event is without its
  // account.
  const late: Observed[] = [];
  const waitsFor = (event: Observed): string | undefined => {
    const { taskId, proposalId, permitId } = event.data as Partial<
      Record<'taskId' | 'proposalId' | 'permitId', string>
    >;
    if (event.type === 'TaskSettled') return taskId;
    if (event.type === 'ActionRefused') return proposalId;
    return event.type === 'ActionSettled' ? permitId : undefined;
  };
  const ready = (event: Observed): boolean => {
    const name = waitsFor(event);
    return name === undefined || accountOf.has(name);
  };
  const on = (event: Observed): void => {
    if (!ready(event)) return void late.push(event);
    take(event);
    for (const waiting of late.splice(0)) on(waiting);
  };
  for (const event of watching.events) on(event);
  watching.onEvent(on);

  return {
    events: distinct,
    accepted,
    escalations,
    controls,
    deadLetters,
    twice,
    story,
    firstOf: (service, since) => {
      const after = (sent.get(service) ?? []).filter(({ at }) => at >= since).map(({ at }) => at);
      return after.length === 0 ? undefined : Math.min(...after);
    },
    through: (service, accounts) => {
      const first = new Map<string, number>();
      for (const { at, account } of sent.get(service) ?? [])
        if (account !== undefined) first.set(account, Math.min(at, first.get(account) ?? at));
      const times = accounts.map((account) => first.get(account));
      return times.includes(undefined) ? undefined : Math.max(...(times as number[]));
    },
    stop: () => watching.stop(),
  };
}

/** Looks until `find` finds something. Fails after two minutes, with `what` in the message. */
export async function until<T>(what: () => string, find: () => T | undefined | false, everyMs = 50): Promise<T> {
  for (const began = Date.now(); ; await sleep(everyMs)) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    if (Date.now() - began > 120_000) throw new Error(`waited in vain for ${what()}`);
  }
}
