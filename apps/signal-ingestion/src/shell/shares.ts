/** What requests use of this service while they are under way. */
export interface Load {
  readonly requests: number;
  /** The size of the bodies, unpacked or not. */
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
 * How much each source may have under way: at most its share, so that no source is turned away because of another one. A source that has
 * nothing under way may send one request of any permitted size.
 */
export class Shares {
  private readonly held = new Map<string, Load>();

  constructor(private readonly share: Load) {}

  /** Room for a request of this source; undefined if the source's share is used up. */
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

/** What one request uses, until all its work has ended. */
export class Room {
  private readonly held: (() => void)[] = [];
  private users = 1;

  constructor(private readonly take: (asked: Load) => (() => void) | undefined) {}

  /**
   * Takes more. Takes nothing and returns false if the source's share does not allow it, or if the room was given back because its sender
   * has left.
   */
  more(asked: Partial<Load>): boolean {
    if (this.users === 0) return false;
    const taken = this.take({ ...nothing, ...asked });
    if (taken) this.held.push(taken);
    return taken !== undefined;
  }

  /** Keeps the room until this work has ended too. */
  use(work: Promise<unknown>): void {
    this.users++;
    const end = () => this.leave();
    work.then(end, end);
  }

  /** Called when the request has been answered. */
  leave(): void {
    this.users--;
    if (this.users > 0) return;
    for (const give of this.held.splice(0)) give();
  }
}
