import type { Database } from '../database/database.js';
import { describe } from '../failures.js';
import type { Past } from '../inbox/past.js';
import { openGaps } from '../kafka/gaps.js';
import type { DatabaseHealth } from './health.js';

/** How long the health page waits for the database, and after what time the page shows a statement without an answer. */
const healthMs = 2_000;

/** Asks the database for its health. Waits only as long as a person would wait for the page. */
export async function askDatabase(deps: {
  readonly db: Pick<Database, 'read' | 'unansweredMs'>;
  readonly past: Pick<Past, 'left'>;
  /** A problem that exists although the database answers: it was restored from a copy. */
  readonly putBack: () => string | undefined;
}): Promise<DatabaseHealth> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, healthMs);
  });
  const answer: Promise<DatabaseHealth> = Promise.all([openGaps(deps.db), deps.past.left()]).then(
    ([gaps, restored]) => ({ detail: deps.putBack() ?? 'ok', gaps, restored }),
    (error: unknown) => ({ detail: describe(error).detail, gaps: [], restored: {} }),
  );
  const answered = await Promise.race([answer, late]);
  clearTimeout(timer);
  const { detail, gaps, restored } = answered ?? { detail: '', gaps: [], restored: {} };
  const silentMs = Math.max(deps.db.unansweredMs(), answered ? 0 : healthMs);
  return { detail: silentMs >= healthMs ? `no answer for ${Math.floor(silentMs / 1000)} s` : detail, gaps, restored };
}
