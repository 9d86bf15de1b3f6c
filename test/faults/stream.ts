import { setTimeout as sleep } from 'node:timers/promises';
import { type Running, samplePorts } from '@countersign/local';
import type { Signal, Source } from '@countersign/sample';
import { company } from '../flows/signals.js';
import type { Ledger } from './ledger.js';

/** One account whose three contacts compare. Two tasks, three enrolments, three messages and a task for the owner follow. */
export interface Surge {
  readonly account: string;
  /** Its messages wait for a person, who approves them. */
  readonly board: boolean;
  readonly signals: readonly string[];
  /** Everything was taken over HTTP or Kafka. */
  published: boolean;
}

export interface Stream {
  readonly surges: readonly Surge[];
  /** Scopes that were stopped through the console, each once. */
  readonly stops: ReadonlySet<string>;
  /** As many surges at once beside the steady ones; resolves at once. */
  burst(count: number): string[];
  /** One surge of this account. */
  surge(account: string): void;
  /** How many surges have not ended yet. */
  open(): number;
  /** Begins nothing more, and waits until all that was begun is published. */
  end(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A steady stream of surges, answers of a reviewer, and stops that concern nobody. It continues through every fault: a request that
 * is refused or unanswered is sent again under the same id until it is accepted, as a good upstream does.
 */
export function begin(
  running: Running,
  ledger: Ledger,
  options: { readonly everyMs: number; readonly ended: (surge: Surge) => boolean },
): Stream {
  const ports = samplePorts(running, ledger.events, () => undefined);
  const surges: Surge[] = [];
  const stops = new Set<string>();
  const answered = new Set<string>();
  const underWay = new Set<Promise<void>>();
  const open = new Set<Surge>();
  let ending = false;
  let closed = false;

  const begun = (work: Promise<void>): void => {
    const tracked = work.finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  };
  const insist = async (attempt: () => Promise<unknown>): Promise<void> => {
    while (!closed) {
      try {
        await attempt();
        return;
      } catch {
        await sleep(200);
      }
    }
  };
  const publish = (source: Source, signals: readonly Signal[]) =>
    insist(async () => {
      const refused = await ports.publish(source, signals);
      if (refused.length > 0) throw new Error(`refused: ${JSON.stringify(refused)}`);
    });

  const carryOut = async (surge: Surge, known: readonly Signal[], compare: readonly Signal[]): Promise<void> => {
    await publish('crm', known);
    // The people who compare are known by then, because sources have no common order.
    while (!closed && !known.every(({ id }) => ledger.accepted.has(id))) await sleep(50);
    await publish('website', compare);
    surge.published = true;
  };
  const surge = (account: string, board = false): string => {
    const { known, compare } = company(account, 3, board ? 'c-suite' : 'manager');
    const [first, second] = [known(), compare()];
    const made: Surge = { account, board, signals: [...first, ...second].map(({ id }) => id), published: false };
    surges.push(made);
    open.add(made);
    begun(carryOut(made, first, second));
    return account;
  };
  const stop = (scope: string): void => {
    stops.add(scope);
    begun(insist(() => ports.act({ kind: 'stop', scope, reason: 'a fault is being tried', by: 'lea' })));
  };
  const approve = (proposalId: string): void => {
    answered.add(proposalId);
    const digest = ledger.escalations.get(proposalId)?.digest ?? '';
    begun(
      insist(() =>
        ports.act({
          kind: 'review',
          subjectId: proposalId,
          digest,
          decision: 'approve',
          note: 'good to go',
          by: 'lea',
        }),
      ),
    );
  };

  const pace = (async () => {
    for (let n = 0; !ending; n++) {
      for (const running of open) if (options.ended(running)) open.delete(running);
      // The work that piles up behind a fault is a few hundred actions, not the whole run.
      if (open.size < 60) surge(`steady-${n}`, n % 6 === 0);
      if (n % 3 === 0) stop(`account:nobody-${n}`);
      await sleep(options.everyMs);
    }
  })();
  const reviewer = (async () => {
    while (!closed) {
      for (const proposalId of ledger.escalations.keys()) if (!answered.has(proposalId)) approve(proposalId);
      await sleep(200);
    }
  })();

  let bursts = 0;
  return {
    surges,
    stops,
    burst: (count) => {
      const nth = bursts++;
      return Array.from({ length: count }, (_, n) => surge(`burst-${nth}-${n}`));
    },
    surge: (account) => void surge(account),
    open: () => {
      for (const running of open) if (options.ended(running)) open.delete(running);
      return open.size;
    },
    end: async () => {
      ending = true;
      await pace;
      while (surges.some(({ published }) => !published)) await sleep(50);
    },
    close: async () => {
      ending = true;
      closed = true;
      await Promise.all([pace, reviewer, ...underWay]);
      await ports.close();
    },
  };
}
