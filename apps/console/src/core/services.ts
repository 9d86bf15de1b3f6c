import { type Deployment, servicesOf, type Topic } from '@countersign/contracts';

/** The broker's last answer about the consumer groups. */
export interface GroupsSeen {
  /** When the broker last answered; null if it never did. */
  readonly at: string | null;
  /** Members of each service's group at that time. */
  readonly members: ReadonlyMap<string, number>;
  /** When the group of a service last had a member. */
  readonly lastMemberAt: ReadonlyMap<string, string>;
  /** Why the broker does not answer now; absent if it does. */
  readonly failed?: string;
}

export interface ServiceFigures {
  readonly topicsHeard: readonly { readonly topic: string; readonly at: string }[];
  readonly openDeadLetters: readonly { readonly service: string; readonly n: number }[];
  /** For each reader of controls, how many controls it has not confirmed. */
  readonly notConfirmed: ReadonlyMap<string, number>;
}

export interface ServiceHealth {
  readonly service: string;
  /** Whether it is another party's program, about which the broker is not asked. */
  readonly elsewhere: boolean;
  readonly state: 'confirmed' | 'not-confirmed';
  readonly detail: string;
  readonly instances: number | null;
  readonly lastMemberAt: string | null;
  /** The time of its last event that the console handled, by the event's own time. */
  readonly lastEventAt: string | null;
  readonly openDeadLetters: number;
  readonly controlsNotConfirmed: number;
}

/** After this time the broker's last answer no longer counts as the present state. */
const staleMs = 30_000;

/**
 * The state of each service, as far as the console can know it through Kafka: whether the broker counts it among the members of
 * its consumer group, when its last event came, what it could not handle, and which controls it has not confirmed.
 */
export function servicesHealth(
  participants: Pick<Deployment, 'agents' | 'executors'>,
  topics: readonly Topic[],
  seen: GroupsSeen,
  figures: ServiceFigures,
  at: string,
): ServiceHealth[] {
  const ours: readonly string[] = servicesOf(participants);
  const outside = [...participants.agents, ...participants.executors].filter((name) => !ours.includes(name));
  const fresh = seen.at !== null && Date.parse(at) - Date.parse(seen.at) <= staleMs;
  return [...ours, ...outside].map((service) => {
    const elsewhere = !ours.includes(service);
    const written = new Set(topics.filter(({ writer }) => writer === service).map(({ name }) => name));
    const times = figures.topicsHeard.filter(({ topic }) => written.has(topic)).map(({ at: time }) => time);
    const instances = elsewhere || !fresh ? null : (seen.members.get(service) ?? 0);
    const controlsNotConfirmed = figures.notConfirmed.get(service) ?? 0;
    const why = elsewhere
      ? `another team's ${participants.agents.includes(service) ? 'agent: it proposes actions from' : 'executor: it runs approved actions'} outside of this installation, so it is not known here whether it runs`
      : instances === null
        ? `the broker has not said whether it runs${seen.failed === undefined ? '' : `: ${seen.failed}`}`
        : instances === 0
          ? 'the broker sees no instance of it: it does not run, or is cut off'
          : undefined;
    const behind = controlsNotConfirmed > 0 ? 'it has not confirmed every stop and resume' : undefined;
    return {
      ...{ service, elsewhere, instances, controlsNotConfirmed },
      state: why === undefined && behind === undefined ? 'confirmed' : 'not-confirmed',
      detail:
        [why, behind].filter((word) => word !== undefined).join('; ') ||
        `the broker sees ${instances === 1 ? 'one instance' : `${instances} instances`}`,
      lastMemberAt: seen.lastMemberAt.get(service) ?? null,
      lastEventAt: times.sort().at(-1) ?? null,
      openDeadLetters: figures.openDeadLetters.find((letters) => letters.service === service)?.n ?? 0,
    };
  });
}
