/** Ends a command that cannot answer 'yes'. 1: the answer is no. 2: it was misused, or something cannot be reached. */
export class Failure extends Error {
  constructor(
    readonly exitCode: 1 | 2,
    message: string,
    /** The problem document of a service's answer. */
    readonly problem?: unknown,
    /** Whether the failure may pass by itself, for example while a service is starting. A caller that waits anyway asks again. */
    readonly passing = false,
  ) {
    super(message);
  }
}

/** An error's system code, or its name: a one-word description of the error that may be printed. */
export const codeOf = (error: unknown): string => {
  const { code, cause, name } = error as { code?: string; cause?: { code?: string }; name?: string };
  return code ?? cause?.code ?? name ?? 'error';
};
