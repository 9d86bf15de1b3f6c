import { type SignalType, signalKinds } from '@countersign/contracts';
import type { Origin, Signal } from './signal.js';

/** For tests: a signal that passes its contract. */
export const signal = (
  type: SignalType,
  data: Record<string, unknown>,
  { id = 's-1', time = '2026-11-01T12:00:00.000Z', source = '/sources/crm' } = {},
): Signal => ({ type, id, time, source, data: signalKinds[type].inbound.parse(data) }) as Signal;

export const at = (time: string, signalId = 's-1'): Origin => ({ source: '/sources/crm', signalId, at: time });
