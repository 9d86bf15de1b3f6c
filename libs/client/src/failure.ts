/** The command's end where it cannot answer 'yes': 1, the answer is no; 2, it was misused or something is out of reach. */
export class Failure extends Error {
  constructor(
    readonly exitCode: 1 | 2,
    message: string,
    /** The problem document that a service answered with. */
    readonly problem?: unknown,
    /** Whether it may pass by itself, as where a service is starting: whoever waits anyway asks again. */
    readonly passing = false,
  ) {
    super(message);
  }
}

/** An error's system code, or its name: what may be said of it in one word. */
export const codeOf = (error: unknown): string => {
  const { code, cause, name } = error as { code?: string; cause?: { code?: string }; name?: string };
  return code ?? cause?.code ?? name ?? 'error';
};
