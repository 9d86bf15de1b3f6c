/** The aim of a figure. */
export interface Aim {
  /** As a reader is told: `half of F2`, `< 500 ms`. */
  readonly text: string;
  /** `floor` is missing if it was not measured in this run. Undefined: without it the aim cannot be judged. */
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
  /** What a reader must know in addition to the number. */
  readonly note?: string;
}

/** What a measurement receives from the run that it is part of. */
export interface Bench {
  /** Reports the progress to the person who waits. */
  log(line: string): void;
  /** Something was lost, came twice, or came after a stop: the run goes on and ends with exit status 1. */
  wrong(line: string): void;
  /** A tenth of the work. */
  readonly quick: boolean;
  /** Aborted by Ctrl-C. Then the measurement throws, and removes what it made. */
  readonly signal: AbortSignal;
}
