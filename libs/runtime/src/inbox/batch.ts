import type { Batch, Received, SetAside } from '../api/runtime.js';
import type { UnitOfWork } from '../outbox/unit-of-work.js';

const units = new WeakMap<Batch, UnitOfWork>();

/** The unit of work behind a batch that `batchOf` made. */
export function unitOf(batch: Batch): UnitOfWork {
  const unit = units.get(batch);
  if (!unit) throw new Error('not a batch of this runtime');
  return unit;
}

/** A `Batch` over a unit of work. */
export function batchOf(
  unit: UnitOfWork,
  topic: string,
  events: readonly Received[],
  aside: readonly SetAside[] = [],
): Batch {
  const batch: Batch = {
    at: unit.at,
    tx: unit.tx,
    topic,
    events,
    setAside: aside,
    emit: (cause, to, output) => unit.emit(cause, to, output),
    ownState: (stateTopic, keys) => unit.ownState(stateTopic, keys),
    putState: (cause, stateTopic, output) => unit.putState(cause, stateTopic, output),
    schedule: (cause, job) => unit.schedule(cause, job),
    published: (by, values) => unit.published(by, values),
  };
  units.set(batch, unit);
  return batch;
}
