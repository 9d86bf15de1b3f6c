let on = false;

/** Whether this process exports telemetry. Where it does not, nothing here does any work beyond asking this. */
export const isOn = (): boolean => on;

/** Set by `startTelemetry` and by its stop. */
export const turn = (to: boolean): void => {
  on = to;
};

/** A moment: the wall clock for where it stands, the monotonic one for how long it is ago. */
export interface Moment {
  readonly wall: number;
  readonly steady: number;
}

const never: Moment = { wall: 0, steady: 0 };

/** The present moment; costs nothing where telemetry is off. */
export const moment = (): Moment => (on ? { wall: Date.now(), steady: performance.now() } : never);

/** Milliseconds since a moment. */
export const since = ({ steady }: Moment): number => performance.now() - steady;
