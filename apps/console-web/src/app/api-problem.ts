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

/** The console cannot be reached, or its proxy reports that it is away. */
export const isAway = (error: unknown): boolean =>
  error instanceof ApiProblem && [0, 502, 503, 504].includes(error.status);

/** Nobody is signed in, or the session is over. */
export const isSignedOut = (error: unknown): boolean => error instanceof ApiProblem && error.status === 401;
