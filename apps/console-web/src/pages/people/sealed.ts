import { ApiProblem, isAway } from '../../app/api-problem.js';
import { time } from '../../app/console-time.js';

/** What the console knows about a request to reveal. */
interface Shown {
  readonly state: 'waiting' | 'sealed' | 'refused' | 'unanswered';
  readonly reason: { readonly detail: string } | null;
  readonly jwe: string | null;
}

const askEveryMs = 300;
/** While the console does not answer. */
const againAfterMs = 1_000;

/**
 * Asks until the sealed answer is there. The console stores the answer until `expiresAt`, so an interruption of the connection or
 * of the console does not end this.
 */
export async function sealedAnswer(
  show: () => Promise<Shown>,
  expiresAt: string,
  signal: AbortSignal,
  now: () => number = time.now,
): Promise<string> {
  for (;;) {
    signal.throwIfAborted();
    const shown = await show().catch((error: unknown) => {
      if (isAway(error) && now() < Date.parse(expiresAt)) return undefined;
      throw error;
    });
    const jwe = shown && jweOf(shown);
    if (jwe) return jwe;
    await new Promise((resolve) => setTimeout(resolve, shown ? askEveryMs : againAfterMs));
  }
}

/** Undefined while the answer is not there yet. */
function jweOf({ state, reason, jwe }: Shown): string | undefined {
  if (jwe !== null) return jwe;
  switch (state) {
    case 'waiting':
      return undefined;
    case 'refused':
      throw new ApiProblem(409, 'Nothing was revealed', reason?.detail ?? 'No reason was given.');
    case 'unanswered':
      throw new ApiProblem(
        0,
        'No answer came',
        'The intake of signals (signal-ingestion) did not answer within two minutes. Look on the page Now whether this service runs, then ask again.',
      );
    case 'sealed':
      throw new ApiProblem(
        0,
        'The answer is gone',
        'The console kept the answer for two minutes. This page could not read it in that time. Ask again.',
      );
  }
}
