import { setTimeout as sleep } from 'node:timers/promises';
import type { InspectionEnded } from '@countersign/contracts';
import { ifThere, personToken } from './credentials.js';
import { Failure } from './failure.js';
import type { Session } from './session.js';

type Kind = InspectionEnded['kind'];
/** The result of an inspection. */
export type InspectionResult = Pick<InspectionEnded, 'outcome' | 'checks'>;
/** Reports the progress, on the terminal and to the console. `total`: if it is known. */
export type OnProgress = (step: string, done?: number, total?: number) => void;

/**
 * How often the progress is sent to the console, and how often if nothing changed, in milliseconds. After 90 s the console treats
 * an inspection as dead.
 */
const times = { everyMs: 2_000, aliveMs: 15_000, pausesMs: [1_000, 3_000] };
const named: Readonly<Record<Kind, string>> = { invariants: 'this audit', probe: 'this probe' };

/**
 * Runs an inspection, and reports its beginning, progress and result to the console under the caller's login. If the console cannot
 * be reached, this is a warning: the result counts all the same.
 */
export async function inspected<R>(
  s: Session,
  { kind, report }: { readonly kind: Kind; readonly report: boolean },
  run: (onProgress: OnProgress) => Promise<{ readonly answer: R; readonly result: InspectionResult }>,
): Promise<R> {
  const reporter = report ? await begun(s, kind) : undefined;
  const onProgress: OnProgress = (step, done, total) => {
    const known = total === undefined ? '' : ` of ${total}`;
    s.progress(done === undefined ? step : `${step}: ${done}${known}`);
    reporter?.now({ step, done: done ?? 0, total: total ?? null });
  };
  try {
    const { answer, result } = await run(onProgress);
    await reporter?.end(result);
    return answer;
  } catch (error) {
    await reporter?.end({ outcome: 'broken', checks: [] });
    throw error;
  } finally {
    s.progress('');
  }
}

interface Progress {
  readonly step: string;
  readonly done: number;
  readonly total: number | null;
}

async function begun(s: Session, kind: Kind) {
  const warn = (error: unknown): void =>
    s.warn(
      `the console is not told of ${named[kind]}, which goes on: ${error instanceof Error ? error.message : 'an unknown fault'}`,
    );
  if (ifThere(() => personToken(s.installation)) === undefined) {
    s.note(`The console is not told of ${named[kind]}: no token is set. COUNTERSIGN_TOKEN may hold one.`);
    return undefined;
  }
  let inspectionId: string;
  try {
    ({ inspectionId } = await s.console.post<{ inspectionId: string }>('/v1/inspections', { kind }));
  } catch (error) {
    warn(error);
    return undefined;
  }
  let latest: Progress | undefined;
  let sent: { readonly progress: Progress; readonly at: number } | undefined;
  let sending: Promise<void> = Promise.resolve();
  let busy = false;
  let warned = false;
  const send = async (progress: Progress): Promise<void> => {
    busy = true;
    try {
      await s.console.post(`/v1/inspections/${encodeURIComponent(inspectionId)}/progress`, progress);
      sent = { progress, at: performance.now() };
    } catch (error) {
      // It is tried again, so that a console that is away for a moment receives the rest.
      if (!warned) warn(error);
      warned = true;
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => {
    if (busy || !latest) return;
    if (sent?.progress === latest && performance.now() - sent.at < times.aliveMs) return;
    sending = send(latest);
  }, times.everyMs);
  timer.unref();
  return {
    now: (progress: Progress): void => {
      latest = progress;
    },
    async end(result: InspectionResult): Promise<void> {
      clearInterval(timer);
      await sending;
      for (const pauseMs of [...times.pausesMs, undefined]) {
        try {
          await s.console.post(`/v1/inspections/${encodeURIComponent(inspectionId)}/end`, result);
          return;
        } catch (error) {
          const mayPass = error instanceof Failure && error.passing && pauseMs !== undefined;
          if (!mayPass) return warn(error);
          await sleep(pauseMs);
        }
      }
    },
  };
}
