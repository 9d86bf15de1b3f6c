/** What requests hold of this service while they are under way. */
export interface Load {
  readonly requests: number;
  /** Of bodies, taken apart or not. */
  readonly bytes: number;
  readonly events: number;
}

const nothing: Load = { requests: 0, bytes: 0, events: 0 };
const measures = ['requests', 'bytes', 'events'] as const;

const sum = (a: Load, b: Load, sign: 1 | -1 = 1): Load => ({
  requests: a.requests + sign * b.requests,
  bytes: a.bytes + sign * b.bytes,
  events: a.events + sign * b.events,
});

/**
 * What each source may have under way: its share, and never more, so that none is turned away for what another one does. A source
 * that has nothing under way may have one request of any size that is taken at all.
 */
export class Shares {
  private readonly held = new Map<string, Load>();

  constructor(private readonly share: Load) {}

  /** Room for a request of this source; undefined where the source has its share under way. */
  enter(source: string, bytes: number): Room | undefined {
    const room = new Room((asked) => this.take(source, asked));
    return room.more({ requests: 1, bytes }) ? room : undefined;
  }

  private take(source: string, asked: Load): (() => void) | undefined {
    const held = this.held.get(source) ?? nothing;
    const fits = measures.every(
      (measure) => asked[measure] === 0 || held[measure] === 0 || held[measure] + asked[measure] <= this.share[measure],
    );
    if (!fits) return undefined;
    this.held.set(source, sum(held, asked));
    return () => this.held.set(source, sum(this.held.get(source) ?? nothing, asked, -1));
  }
}

/** What one request holds, until everything that needs it has ended. */
export class Room {
  private readonly held: (() => void)[] = [];
  private users = 1;

  constructor(private readonly take: (asked: Load) => (() => void) | undefined) {}

  /** Takes more; false, and nothing taken, where the source's share does not allow it, or the room was given back: its sender is gone. */
  more(asked: Partial<Load>): boolean {
    if (this.users === 0) return false;
    const taken = this.take({ ...nothing, ...asked });
    if (taken) this.held.push(taken);
    return taken !== undefined;
  }

  /** Keeps the room until this has ended, too. */
  use(work: Promise<unknown>): void {
    this.users++;
    const end = () => this.leave();
    work.then(end, end);
  }

  /** The request has been answered. */
  leave(): void {
    this.users--;
    if (this.users > 0) return;
    for (const give of this.held.splice(0)) give();
  }
}
