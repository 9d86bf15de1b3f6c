import { type Stage, stages } from './now-changes.js';

/** How far back rates look. */
export const recentMs = 3_600_000;
/** Steps are stored in slots of this length. */
const slotMs = 10_000;
const minutes = 60;

/** The slot of a step. A time in the future counts as now. */
export const slotOf = (happened: string, at: string): string =>
  new Date(Math.floor(Math.min(Date.parse(happened), Date.parse(at)) / slotMs) * slotMs).toISOString();

/** How often one stage was passed in the last hour. */
export interface Rate {
  readonly stage: Stage;
  readonly lastMinute: number;
  readonly lastHour: number;
  /** The last 60 minutes, the oldest first. */
  readonly perMinute: readonly number[];
  /** The steps of the last hour, by their label. */
  readonly byLabel: Readonly<Record<string, number>>;
}

/** Steps of one stage and label that happened this many whole minutes ago. */
export interface MinuteCount {
  readonly stage: string;
  readonly label: string;
  readonly minutesAgo: number;
  readonly n: number;
}

export const rates = (counts: readonly MinuteCount[]): Rate[] =>
  stages.map((stage) => {
    const passed = counts.filter(
      (count) => count.stage === stage && count.minutesAgo >= 0 && count.minutesAgo < minutes,
    );
    const sum = (some: readonly MinuteCount[]): number => some.reduce((total, { n }) => total + n, 0);
    const labels = new Set(passed.map(({ label }) => label));
    return {
      stage,
      lastMinute: sum(passed.filter(({ minutesAgo }) => minutesAgo === 0)),
      lastHour: sum(passed),
      perMinute: Array.from({ length: minutes }, (_, place) =>
        sum(passed.filter(({ minutesAgo }) => minutesAgo === minutes - 1 - place)),
      ),
      byLabel: Object.fromEntries(
        [...labels].map((label) => [label, sum(passed.filter((count) => count.label === label))]),
      ),
    };
  });
