import { TooLong } from '@countersign/contracts';
import { jsonOf, linesOf } from './body.js';
import { printable } from './core/text.js';
import { codeOf, Failure } from './failure.js';

const TIMEOUT_MS = 15_000;

interface Problem {
  readonly status?: number;
  readonly detail?: string;
  readonly title?: string;
}

/** A service's HTTP interface. Every failure is a `Failure` that says what to do. */
export interface Client {
  readonly url: string;
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown, headers?: Record<string, string>): Promise<T>;
  /** The lines of an answer that may be long, as they arrive. `signal` ends the wait for the next line and the connection. */
  lines(path: string, signal?: AbortSignal): Promise<AsyncIterable<string>>;
}

/**
 * `tokenOf` is called at each request. `variable` is the variable that may hold the token. Its name is printed if the service
 * requires another token.
 */
export function client(
  service: string,
  url: string,
  tokenOf: () => string | undefined,
  variable = 'COUNTERSIGN_TOKEN',
): Client {
  const send = async (
    method: string,
    path: string,
    signal: AbortSignal | undefined,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const token = tokenOf();
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, {
        method,
        headers: {
          accept: 'application/json',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      });
    } catch (error) {
      const detail = `${service} not reachable at ${url} (${codeOf(error)}): is \`npm start\` running?`;
      throw new Failure(2, detail, undefined, true);
    }
    if (!response.ok) {
      const problem = await problemIn(response);
      throw response.status === 401
        ? notLetIn(service, url, token, variable, problem)
        : failureOf(service, url, response.status, problem);
    }
    return response;
  };
  const json = async <T>(response: Response): Promise<T> => {
    try {
      return (await jsonOf(response)) as T;
    } catch (error) {
      if (error instanceof TooLong)
        throw new Failure(2, `${service} at ${url} answered with ${error.message}: is something else listening there?`);
      if (error instanceof SyntaxError || codeOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA')
        throw new Failure(2, `${service} at ${url} did not answer with JSON: is something else listening there?`);
      throw new Failure(2, `the answer of ${service} at ${url} broke off (${codeOf(error)})`, undefined, true);
    }
  };
  const timed = () => AbortSignal.timeout(TIMEOUT_MS);
  return {
    url,
    get: async (path) => json(await send('GET', path, timed())),
    post: async (path, body, headers) => json(await send('POST', path, timed(), body, headers)),
    lines: async (path, signal) => {
      const response = await send('GET', path, signal);
      if (!response.body) throw new Failure(2, `${service} at ${url} answered with nothing`);
      return linesOf(response);
    },
  };
}

async function problemIn(response: Response): Promise<Problem> {
  try {
    return (await jsonOf(response)) as Problem;
  } catch {
    return {};
  }
}

function notLetIn(
  service: string,
  url: string,
  token: string | undefined,
  variable: string,
  problem: Problem,
): Failure {
  const refusal = token === undefined ? 'it asks for a token' : 'it does not know this token';
  const remedy = `set ${variable}, or call this inside the folder whose .countersign/credentials has one`;
  return new Failure(2, `${service} at ${url}: ${refusal}; ${remedy}`, problem);
}

function failureOf(service: string, url: string, status: number, problem: Problem): Failure {
  const detail = printable(problem.detail ?? problem.title ?? `status ${status}`);
  if (status === 404 && problem.detail === undefined) {
    return new Failure(2, `${service} at ${url} has no such page: is it the same version as this command?`, problem);
  }
  const theAnswerIsNo = [403, 404, 409].includes(status);
  const passing = status >= 500 || status === 429;
  return new Failure(theAnswerIsNo ? 1 : 2, theAnswerIsNo ? detail : `${service}: ${detail}`, problem, passing);
}
