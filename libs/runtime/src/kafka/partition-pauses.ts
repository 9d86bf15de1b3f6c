/** A partition that is not fetched until its time is over, or until `end`. */
interface Pause {
  readonly timer: NodeJS.Timeout;
  readonly end: () => void;
}

/** Why a partition is paused. `over` is true when it may go on. */
interface Failure {
  readonly count: number;
  readonly detail: string;
  readonly pause: Pause;
  over?: true;
}

/** kafkajs' way to pause the partition of a batch: returns what resumes it. */
type PausePartition = () => () => void;

/**
 * Partitions that kafkajs does not fetch for a while, because handling failed or the next record is held back. By
 * `topic/partition`.
 */
export class PartitionPauses {
  private readonly failures = new Map<string, Failure>();
  /** Partitions whose next records are held back. */
  private readonly held = new Map<string, Pause>();

  /** How often handling has failed in a row. */
  failuresOf(place: string): number {
    return this.failures.get(place)?.count ?? 0;
  }

  /** The records that were tried again are handled. */
  handled(place: string): void {
    this.failures.delete(place);
  }

  /** Notes that handling failed. The failure is reported until handling succeeds, also after the pause. */
  failed(place: string, detail: string, ms: number, pausePartition: PausePartition): void {
    const pause = pauseFor(ms, pausePartition, () => {
      failure.over = true;
    });
    const failure: Failure = { count: this.failuresOf(place) + 1, detail, pause };
    this.failures.set(place, failure);
  }

  /** Holds records back, which is no failure. */
  hold(place: string, ms: number, pausePartition: PausePartition): void {
    this.held.set(
      place,
      pauseFor(ms, pausePartition, () => this.held.delete(place)),
    );
  }

  /**
   * The group was joined again. A partition whose pause is over may have been handled by another instance; if not, it fails
   * again.
   */
  rejoined(owned: (place: string) => boolean): void {
    for (const [place, { over, pause }] of this.failures) {
      if (!over && owned(place)) continue;
      pause.end();
      this.failures.delete(place);
    }
    for (const { end } of this.held.values()) end();
  }

  /** The partitions that failed, with the error. */
  paused(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.failures].map(([place, { detail }]) => [place, detail]));
  }

  /** The records that a partition was to try again were deleted, so there is nothing left to try. */
  deleted(place: string): void {
    if (this.failures.get(place)?.over) this.failures.delete(place);
  }

  /** After this call no partition is resumed. */
  stop(): void {
    for (const { pause } of this.failures.values()) clearTimeout(pause.timer);
    for (const { timer } of this.held.values()) clearTimeout(timer);
  }
}

function pauseFor(ms: number, pausePartition: PausePartition, before: () => void): Pause {
  const resume = pausePartition();
  const end = (): void => {
    clearTimeout(timer);
    before();
    try {
      resume();
    } catch {
      // The partition went to another instance meanwhile.
    }
  };
  const timer = setTimeout(end, ms);
  return { timer, end };
}
