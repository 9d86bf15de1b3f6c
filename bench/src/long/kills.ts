import type { Program } from '@countersign/local';
import { chance } from '@countersign/testing/chance';
import type { System } from '../system/installation.js';

/** Something that is killed at a moment after the start of the load. */
export interface PlannedKill {
  readonly atMs: number;
  readonly target: string;
}

/** Kills at random moments, all from the seed. The gaps are between half and one and a half times `everyMs`, which 0 switches off. */
export function plannedKills(options: {
  readonly seed: number;
  readonly targets: readonly string[];
  readonly forMs: number;
  readonly everyMs: number;
}): PlannedKill[] {
  const { seed, targets, forMs, everyMs } = options;
  if (everyMs <= 0 || targets.length === 0) return [];
  const dice = chance(seed);
  const gap = (): number => everyMs / 2 + dice.below(everyMs);
  const kills: PlannedKill[] = [];
  for (let atMs = gap(); atMs < forMs; atMs += gap()) kills.push({ atMs, target: dice.pick(targets) });
  return kills;
}

/** What can be killed: each service, and broker and database if they were started here. */
export const targetsOf = ({ running }: System): string[] => [
  ...[...running.services.keys()].sort(),
  ...(running.broker ? ['broker'] : []),
  ...(running.postgres ? ['database'] : []),
];

interface Killable {
  readonly ready?: Promise<void>;
  kill(): Promise<unknown>;
}

function present({ running }: System, target: string): Killable | undefined {
  if (target === 'broker') return running.broker;
  if (target === 'database') return running.postgres;
  return running.services.get(target as Program);
}

/** Kills it as a crash does. Fulfilled when the supervisor of the installation has started it again. */
export async function killOne(system: System, target: string): Promise<void> {
  const killed = present(system, target);
  await killed?.kill();
  await system.until(
    `${target} to be back`,
    async () => {
      const next = present(system, target);
      if (next === undefined || next === killed) return undefined;
      // A service is there before it is ready. If it ends before that, there is another one soon.
      return Promise.resolve(next.ready).then(
        () => true,
        () => undefined,
      );
    },
    { everyMs: 50, forMs: 300_000 },
  );
}
