/** What a figure should reach. */
export interface Aim {
  /** As a reader is told: `half of F2`, `< 500 ms`. */
  readonly text: string;
  /** `floor` is missing where it was not measured in this run; undefined: without it nobody can tell. */
  met(value: number, floor: number | undefined): boolean | undefined;
}

/** One measured number. */
export interface Figure {
  /** `f1.rate`, `b.p99@200`: the measurement, a dot, what of it. */
  readonly id: string;
  readonly what: string;
  readonly value: number;
  /** `/s`, `ms`, `MB`, `CPU-ms`, `B`. */
  readonly unit: string;
  /** The id of the figure of a floor, in the same unit. */
  readonly floor?: string;
  readonly aim?: Aim;
  /** What a reader has to know beside the number. */
  readonly note?: string;
}

/** What a measurement is given by the run that it is part of. */
export interface Bench {
  /** Tells the person who waits what goes on. */
  log(line: string): void;
  /** Something was lost, came twice, or came after a stop: the run goes on and ends with exit status 1. */
  wrong(line: string): void;
  /** A tenth of the work. */
  readonly quick: boolean;
  /** Aborted by Ctrl-C: whoever measures then throws, and removes what it made. */
  readonly signal: AbortSignal;
}
