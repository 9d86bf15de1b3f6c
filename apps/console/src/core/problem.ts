/** Why a request was not done (RFC 9457): the kind, what to do, and the field if there is one. */
export interface Problem {
  readonly status: 400 | 401 | 403 | 404 | 409 | 422 | 429;
  readonly title: string;
  readonly detail: string;
  readonly field?: string;
}

export const problem = (status: Problem['status'], title: string, detail: string, field?: string): Problem =>
  field === undefined ? { status, title, detail } : { status, title, detail, field };
