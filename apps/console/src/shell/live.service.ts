import { describe, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { changedParts, eventText, type Sights } from '../core/live.js';
import { type Held, Sessions } from './sessions.service.js';

/** A client that listens. */
export interface Listener {
  readonly person: string;
  /** Absent for a client with a token. */
  readonly held: Held | undefined;
  send(text: string): void;
  close(): void;
}

const lookEveryMs = 1_000;
/** How many looks there are between two signs of life. */
const aliveEvery = 5;
/** How many windows one person may have open. */
export const mostEach = 20;

/** Small, however much the tables hold: sums of the counters, the ends of indexes, and the few dead letters that were replayed. */
const sights = `
  SELECT 'counts ' || stage AS name, sum(n)::text AS seen FROM counts GROUP BY stage
  UNION ALL SELECT 'own ' || topic, concat_ws(' ', count(*), sum(version)) FROM published_state GROUP BY topic
  UNION ALL SELECT 'confirmations', concat_ws(' ', count(*), sum(version)) FROM control_confirmations
  UNION ALL SELECT 'consents', coalesce(max(changed_at)::text, '') FROM person_consents
  UNION ALL SELECT 'answers', coalesce(max(decided_at)::text, '') FROM reviews
  UNION ALL SELECT 'replays', coalesce(max(replayed_at)::text, '') FROM replays
  UNION ALL SELECT 'replays ended', concat_ws(' ', count(*), sum(attempts), count(*) FILTER (WHERE outcome = 'handled')) FROM replay_ends
  UNION ALL SELECT 'inspections', coalesce(max(heard_at)::text, '') FROM inspections
  UNION ALL SELECT 'notifications', concat_ws(' ', max(made_at), max(ended_at)) FROM notifications`;

/**
 * Tells browsers what has changed. It compares data in the database, so it does not matter which process of the console wrote it. It
 * looks once a second for all listeners together, and only while there are any.
 */
@Injectable()
export class LiveChanges implements OnModuleDestroy {
  private readonly log = new Logger('live');
  private readonly listeners = new Set<Listener>();
  private timer: NodeJS.Timeout | undefined;
  private before: Sights | undefined;
  private looks = 0;
  private looking = false;
  private failing = false;
  private closed = false;

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Sessions) private readonly sessions: Sessions,
  ) {}

  /** Begins a stream for a listener. Undefined if this person has too many windows open, or the service ends. */
  listen(listener: Listener): (() => void) | undefined {
    const own = [...this.listeners].filter(({ person }) => person === listener.person);
    if (this.closed || own.length >= mostEach) return undefined;
    this.listeners.add(listener);
    listener.send(eventText('alive', { at: this.runtime.now() }));
    if (!this.timer) {
      this.timer = setInterval(() => void this.look(), lookEveryMs);
      // Announces changes from now on, and not only those after the first second.
      void this.look();
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.rest();
    };
  }

  /** Tells the listeners of a session that was ended here at once. */
  ended(tokenSha256: string): void {
    for (const listener of this.listeners) if (listener.held?.session.tokenSha256 === tokenSha256) this.end(listener);
  }

  /** The service drains. Browsers ask again, and another process or the next start answers. */
  onModuleDestroy(): void {
    this.closed = true;
    this.rest();
    for (const listener of this.listeners) listener.close();
  }

  private rest(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.before = undefined;
  }

  /** Ends the streams whose sessions are over, then announces what changed. */
  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const at = this.runtime.now();
      await this.endThoseOver();
      const rows = await this.runtime.readForPage<{ name: string; seen: string }>(sights);
      const now = new Map(rows.map(({ name, seen }) => [name, seen]));
      const changed = this.before ? changedParts(this.before, now) : [];
      this.before = now;
      if (this.failing) this.log.log('changes are announced again');
      this.failing = false;
      if (changed.length > 0) this.sendAll(eventText('changed', { at, parts: changed }));
      if (++this.looks % aliveEvery > 0) return;
      this.sendAll(eventText('alive', { at }));
    } catch (error) {
      // A browser that hears nothing shows this: its pages may be out of date.
      if (!this.failing) this.log.warn(`changes are not announced to browsers: ${describe(error).detail}`);
      this.failing = true;
    } finally {
      this.looking = false;
    }
  }

  private async endThoseOver(): Promise<void> {
    await Promise.all(
      [...this.listeners].map(async (listener) => {
        if (listener.held && !(await this.sessions.of(listener.held.token))) this.end(listener);
      }),
    );
  }

  private end(listener: Listener): void {
    // No event follows `ended`.
    this.listeners.delete(listener);
    listener.send(eventText('ended', { at: this.runtime.now() }));
    listener.close();
  }

  private sendAll(text: string): void {
    for (const listener of this.listeners) listener.send(text);
  }
}
