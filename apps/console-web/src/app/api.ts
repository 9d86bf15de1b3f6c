import createClient, { type Middleware } from 'openapi-fetch';
import type { paths } from '../generated/console.js';
import { ApiProblem } from './api-problem.js';
import { type Patience, patiently } from './patience.js';

export { ApiProblem };

/**
 * The token of the session. Each request that changes something carries it, so that no other page can act in this person's name.
 */
let csrfToken: string | undefined;
/** Whether this page ever had a session. The page may learn that the session is over before a request of the person is refused. */
let hadSession = false;
export const setCsrfToken = (token: string | undefined): void => {
  csrfToken = token;
  hadSession ||= token !== undefined;
};

const guard: Middleware = {
  onRequest({ request }) {
    if (csrfToken !== undefined && request.method !== 'GET') request.headers.set('x-csrf-token', csrfToken);
    return request;
  },
};

/** Longer than any answer takes. After this time the outcome of a request is unknown. */
const patienceMs = 20_000;
/**
 * After a loss the browser may still use old connections that lead nowhere. So a request that only reads is soon repeated on
 * another connection.
 */
const warinessMs = 60_000;
const waryPatienceMs = 4_000;

let lostAt: number | undefined;
let reading = new AbortController();
/** The connection to the console was lost. Readings on it are given up. An act of a person continues to wait for its answer. */
export function lineWasLost(): void {
  lostAt = performance.now();
  reading.abort();
  reading = new AbortController();
}

function send(request: Request): Promise<Response> {
  const fetchWith = (signal: AbortSignal) => fetch(request, { signal });
  const patience: Patience = { wordMs: patienceMs, wholeMs: patienceMs };
  if (request.method !== 'GET') return patiently(fetchWith, patience);
  const wary = lostAt !== undefined && performance.now() - lostAt < warinessMs;
  return patiently(fetchWith, wary ? { ...patience, wordMs: waryPatienceMs } : patience, reading.signal);
}

/** The console's API, typed by its OpenAPI document (`npm run generate`). */
export const api = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: send,
});
api.use(guard);

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** The answer of a request. Throws `ApiProblem` if there is none, with status 0 if the console cannot be reached. */
export async function answerOf<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await request;
  } catch (error) {
    const detail = 'The console does not answer. Check the connection; this page asks again by itself.';
    throw new ApiProblem(0, 'Not reachable', error instanceof ApiProblem ? error.message : detail);
  }
  if (answer.response.ok) return answer.data as T;
  // The session cookie may be gone as well. Then the console does not know which session has ended.
  if (answer.response.status === 401 && hadSession && !window.location.pathname.startsWith('/sign-in'))
    throw new ApiProblem(401, 'Session ended', 'Your session has ended: sign in again, then repeat what you did.');
  const problem = (answer.error ?? {}) as { title?: string; detail?: string; field?: string; requestId?: string };
  throw new ApiProblem(
    answer.response.status,
    problem.title ?? 'Not done',
    problem.detail ?? `The console answered with status ${answer.response.status}.`,
    problem.field,
    problem.requestId,
  );
}
