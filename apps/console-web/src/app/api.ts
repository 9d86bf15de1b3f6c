import createClient, { type Middleware } from 'openapi-fetch';
import type { paths } from '../generated/console.js';

/** Why the console did not do what was asked (RFC 9457); `detail` says what to do about it. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';

  constructor(
    readonly status: number,
    readonly title: string,
    detail: string,
    readonly field?: string,
    readonly requestId?: string,
  ) {
    super(detail);
  }
}

/** Of the session: sent with everything that changes something, so that no other page can act in this person's name. */
let csrfToken: string | undefined;
export const keepCsrfToken = (token: string | undefined): void => {
  csrfToken = token;
};

const guard: Middleware = {
  onRequest({ request }) {
    if (csrfToken !== undefined && request.method !== 'GET') request.headers.set('x-csrf-token', csrfToken);
    return request;
  },
};

/** Longer than any answer takes; after this nobody knows what came of a request. */
const patienceMs = 20_000;

/** The console's API, typed by its OpenAPI document (`npm run generate`). */
export const api = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: (request) => fetch(request, { signal: AbortSignal.timeout(patienceMs) }),
});
api.use(guard);

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** The answer of a request. Throws `ApiProblem` where there is none: status 0 where the console is not reachable. */
export async function answerOf<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await request;
  } catch (error) {
    const detail = 'The console does not answer. Check the connection; this page asks again by itself.';
    throw new ApiProblem(0, 'Not reachable', error instanceof ApiProblem ? error.message : detail);
  }
  if (answer.response.ok) return answer.data as T;
  const problem = (answer.error ?? {}) as { title?: string; detail?: string; field?: string; requestId?: string };
  throw new ApiProblem(
    answer.response.status,
    problem.title ?? 'Not done',
    problem.detail ?? `The console answered with status ${answer.response.status}.`,
    problem.field,
    problem.requestId,
  );
}
