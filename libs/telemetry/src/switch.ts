let on = false;

/** Whether this process exports telemetry. If it does not, nothing here does any work except this check. */
export const isOn = (): boolean => on;

/** Set by `startTelemetry` and by its stop. */
export const turn = (to: boolean): void => {
  on = to;
};

/** A moment: the wall clock gives its time of day, the monotonic clock its age. */
export interface Moment {
  readonly wall: number;
  readonly steady: number;
}

const never: Moment = { wall: 0, steady: 0 };

/** The present moment; costs nothing if telemetry is off. */
export const moment = (): Moment => (on ? { wall: Date.now(), steady: performance.now() } : never);

/** Milliseconds since a moment. */
export const since = ({ steady }: Moment): number => performance.now() - steady;
