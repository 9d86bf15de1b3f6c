import { type Attributes, type Counter, metrics as global, type Histogram, type Observable } from '@opentelemetry/api';
import { isOn } from './switch.js';

interface Instrument {
  readonly kind: 'counter' | 'histogram' | 'gauge';
  readonly unit: string;
  readonly detail: string;
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

/** In seconds: the bounds that the semantic conventions recommend for durations, extended to a minute. */
const seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60];
/** In seconds, for work that may wait for minutes or days. */
const ages = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400, 604_800];

/** Every metric of Countersign; `README.md` lists the same. The first six are named by OpenTelemetry's semantic conventions. */
export const instruments = {
  'messaging.client.consumed.messages': {
    kind: 'counter',
    unit: '{message}',
    detail: 'Records taken from the broker',
  },
  'messaging.process.duration': {
    kind: 'histogram',
    unit: 's',
    detail: 'Handling of one batch, from its first statement to the acknowledgement of its outputs',
    buckets: seconds,
  },
  'messaging.client.sent.messages': { kind: 'counter', unit: '{message}', detail: 'Records that the broker was sent' },
  'messaging.client.operation.duration': {
    kind: 'histogram',
    unit: 's',
    detail: 'One send, to its acknowledgement',
    buckets: seconds,
  },
  'db.client.operation.duration': { kind: 'histogram', unit: 's', detail: 'One transaction', buckets: seconds },
  'http.server.request.duration': { kind: 'histogram', unit: 's', detail: 'One request for signals', buckets: seconds },
  'countersign.events': { kind: 'counter', unit: '{event}', detail: 'Events by what became of them here' },
  'countersign.batch.size': {
    kind: 'histogram',
    unit: '{event}',
    detail: 'Events handled in one transaction',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500],
  },
  'countersign.event.age': {
    kind: 'histogram',
    unit: 's',
    detail: 'From the time an event names to the end of its handling',
    buckets: ages,
  },
  'countersign.consumer.lag': { kind: 'gauge', unit: '{event}', detail: 'Events of a partition not handled yet' },
  'countersign.state.age': {
    kind: 'gauge',
    unit: 's',
    detail: 'Since a state topic was last compared with its end',
  },
  'countersign.state.mended': {
    kind: 'counter',
    unit: '{key}',
    detail: 'Keys of own state topics that had been published above what the database has, by what was done',
  },
  'countersign.state.ignored': {
    kind: 'counter',
    unit: '{record}',
    detail: 'Records of state topics that are no state, by reason',
  },
  'countersign.clock.ahead': {
    kind: 'gauge',
    unit: 's',
    detail: 'How far the clock is ahead of another; negative: behind',
  },
  'countersign.signals': { kind: 'counter', unit: '{signal}', detail: 'Signals by what became of them' },
  'countersign.tasks': { kind: 'counter', unit: '{task}', detail: 'Tasks by how their agent settled them' },
  'countersign.verdicts': { kind: 'counter', unit: '{verdict}', detail: 'Verdicts by outcome and rule' },
  'countersign.reviews': { kind: 'counter', unit: '{review}', detail: 'Answers of people' },
  'countersign.permits.settled': { kind: 'counter', unit: '{permit}', detail: 'Permits by how they ended' },
  'countersign.permits.rejected': {
    kind: 'counter',
    unit: '{permit}',
    detail: 'Approvals that an executor would not work, by why',
  },
  'countersign.connector.paused': {
    kind: 'gauge',
    unit: '1',
    detail: 'Whether a connected system is paused since it answers nothing: 1, else 0',
  },
  'countersign.connector.duration': {
    kind: 'histogram',
    unit: 's',
    detail: 'One call of a connected system',
    buckets: seconds,
  },
  'countersign.consumer.expiring': {
    kind: 'gauge',
    unit: '{partition}',
    detail: 'Partitions whose oldest unread event is older than half of its retention',
  },
  'countersign.gaps': {
    kind: 'gauge',
    unit: '{gap}',
    detail: 'Stretches of records deleted before they were read, not acknowledged yet, by why',
  },
  'countersign.dead_letters': { kind: 'counter', unit: '{event}', detail: 'Events set aside, by why' },
  'countersign.jobs': { kind: 'gauge', unit: '{job}', detail: 'Jobs by kind: waiting for their time, or due' },
  'countersign.jobs.oldest': { kind: 'gauge', unit: 's', detail: 'How long the oldest due job is overdue' },
  'countersign.jobs.attempts': { kind: 'gauge', unit: '{attempt}', detail: 'Most claims of a job that is still there' },
  'countersign.job.attempts': {
    kind: 'histogram',
    unit: '{attempt}',
    detail: 'Which claim of its job a claim is',
    buckets: [1, 2, 3, 5, 10, 20],
  },
  'countersign.job.duration': { kind: 'histogram', unit: 's', detail: 'Work on one claim', buckets: seconds },
} as const satisfies Record<string, Instrument>;

type Named<K extends Instrument['kind']> = {
  [N in keyof typeof instruments]: (typeof instruments)[N]['kind'] extends K ? N : never;
}[keyof typeof instruments];
export type CounterName = Named<'counter'>;
export type HistogramName = Named<'histogram'>;
export type GaugeName = Named<'gauge'>;

const counters = new Map<string, Counter>();
const histograms = new Map<string, Histogram>();

const meter = () => global.getMeter('countersign');

const optionsOf = (name: keyof typeof instruments) => {
  const { unit, detail, buckets }: Instrument = instruments[name];
  return {
    unit,
    description: detail,
    ...(buckets && { advice: { explicitBucketBoundaries: [...buckets] } }),
  };
};

/** Adds to a counter. */
export function count(name: CounterName, value: number, attributes: Attributes): void {
  if (!isOn() || value === 0) return;
  let counter = counters.get(name);
  if (!counter) {
    counter = meter().createCounter(name, optionsOf(name));
    counters.set(name, counter);
  }
  counter.add(value, attributes);
}

/** Records one value of a histogram, in its unit. */
export function record(name: HistogramName, value: number, attributes: Attributes): void {
  if (!isOn()) return;
  let histogram = histograms.get(name);
  if (!histogram) {
    histogram = meter().createHistogram(name, optionsOf(name));
    histograms.set(name, histogram);
  }
  histogram.record(value, attributes);
}

/** Reports one value of a gauge. */
export type ReportGauge = (name: GaugeName, value: number, attributes: Attributes) => void;

/**
 * Calls `look` for gauges whenever metrics are exported, by default once a minute. If `look` throws, there is no value. Resolves to
 * a function that ends this.
 */
export function observe(names: readonly GaugeName[], look: (report: ReportGauge) => void | Promise<void>): () => void {
  if (!isOn()) return () => undefined;
  const gauges = new Map<string, Observable>(
    names.map((name) => [name, meter().createObservableGauge(name, optionsOf(name))]),
  );
  const all = [...gauges.values()];
  const callback = async (result: { observe: (gauge: Observable, value: number, attributes: Attributes) => void }) => {
    try {
      await look((name, value, attributes) => {
        const gauge = gauges.get(name);
        if (gauge) result.observe(gauge, value, attributes);
      });
    } catch {
      // A value that cannot be read now is missing from this export. The health page says why.
    }
  };
  meter().addBatchObservableCallback(callback, all);
  return () => meter().removeBatchObservableCallback(callback, all);
}

/** Forgets the instruments of a provider that is gone. */
export const forget = (): void => {
  counters.clear();
  histograms.clear();
};
