import type { Fault, KnownAttributes } from '@countersign/contracts';

/** RFC 9457. `code` is stable, for programs; `detail` is for people; `field` names the member at fault. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly field?: string;
  /** The signal, as far as its attributes can be read. */
  readonly signal?: KnownAttributes;
  /** For a batch: every event at fault, by its index. */
  readonly errors?: readonly (Fault & { readonly index: number; readonly signal: KnownAttributes })[];
}

const titles: Readonly<Record<number, string>> = {
  400: 'The signal is not valid',
  401: 'An API key is needed',
  413: 'Too large',
  415: 'Unsupported media type',
  429: 'Come again later',
  500: 'Internal error',
  503: 'The broker is away',
};

export function problem(
  status: number,
  { code, detail, field }: Fault,
  { signal, errors }: Pick<Problem, 'signal' | 'errors'> = {},
): Problem {
  return {
    type: `urn:countersign:problem:${code}`,
    title: titles[status] ?? 'Request failed',
    status,
    code,
    detail: detail,
    ...(field !== undefined && { field }),
    ...(signal && Object.keys(signal).length > 0 && { signal }),
    ...(errors && { errors }),
  };
}
