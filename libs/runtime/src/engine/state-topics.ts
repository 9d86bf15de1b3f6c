import { topics as known } from '@countersign/contracts';
import type { Ago } from '../api/ago.js';
import type { Limits } from '../api/limits.js';
import type { RunningConsumer } from '../kafka/consumer-options.js';
import type { TopicWatch } from '../kafka/topic-watch.js';
import type { Outgoing } from '../outbox/outgoing.js';
import type { Publish } from '../outbox/publisher.js';
import type { Bounds } from '../outbox/unit-of-work.js';
import { Confirmations } from '../state/confirmations.js';
import { OwnState } from '../state/own-state.js';
import { followState, type StateReader } from '../state/state.js';
import type { Clients } from './clients.js';
import { wallTime } from './clock.js';
import type { Log } from './log.js';
import type { ServiceTopics } from './service-topics.js';

/** The state topics of one service: those that it writes and reads back, and those of others that it keeps a table of. */
export class StateTopics {
  readonly own: OwnState | undefined;
  private readonly confirmations: Confirmations | undefined;
  private readBack: RunningConsumer | undefined;
  private following: StateReader | undefined;

  constructor(
    private readonly deps: Pick<Clients, 'db' | 'kafka' | 'admin' | 'facts'> & {
      readonly service: string;
      readonly topics: ServiceTopics;
      readonly publish: Publish;
      readonly limits: Limits;
      readonly bounds: Bounds;
      readonly now: () => string;
      readonly watch: TopicWatch;
      readonly log: Log;
    },
  ) {
    const { ownState, confirms } = deps.topics;
    if (ownState.length > 0) this.own = new OwnState({ ...deps, topics: ownState });
    if (confirms !== undefined) this.confirmations = new Confirmations({ ...deps, topic: confirms, now: wallTime });
  }

  /** Reads all state to its current end, the service's own first, and then goes on reading. */
  async start(): Promise<void> {
    // This must be first. Anything written before it would get a version below those that readers have seen.
    if (this.own) this.readBack = await this.own.follow(await this.own.catchUp());
    const { followed, lookedUp } = this.deps.topics;
    if (followed.length === 0) return;
    const applied = (topic: string, keys: readonly string[]): void => {
      if (topic === known.controls.name) this.confirmations?.confirm(keys);
    };
    this.following = await followState({ ...this.deps, topics: followed, lookedUp, now: wallTime, applied });
    await this.following.caughtUp();
    await this.confirmations?.confirmAll();
  }

  async stop(): Promise<void> {
    await Promise.all([this.following?.stop(), this.readBack?.stop()]);
    await this.confirmations?.ended();
  }

  /** Notes what this process publishes, so that it is recognised when it is read back. */
  published(messages: readonly Outgoing[]): void {
    this.own?.published(messages);
  }

  /** Publishes the service's whole own state of a topic again. */
  async publishAll(topic: string): Promise<void> {
    await this.own?.publishAll(topic);
  }

  /** The reader of the state of others; undefined before the start, and if there is none. */
  reader(): StateReader | undefined {
    return this.following;
  }

  consumers(): readonly RunningConsumer[] {
    return [this.following?.consumer, this.readBack].filter((consumer) => consumer !== undefined);
  }

  /** See `Runtime.comparedAgo`. */
  comparedAgo(): Readonly<Record<string, Ago | null>> {
    const compared = this.following?.comparedAgo() ?? {};
    const lacks = this.deps.watch.lacks();
    if (lacks.size === 0) return compared;
    // A table may have everything that its topic has now, and still lack a stop that was deleted unread.
    return Object.fromEntries(
      Object.entries(compared).map(([topic, since]) => [topic, lacks.has(topic) ? null : since]),
    );
  }
}
