import type { Command } from 'commander';
import { Misused } from './core/edit.js';
import { jsonText, printableLines } from './core/text.js';
import { Failure } from './failure.js';
import { type Session, session } from './session.js';

/** The end of the help of every command: examples, and the meaning of its exit codes. */
export function explained(command: Command, examples: readonly string[], no?: string): Command {
  return command.addHelpText(
    'after',
    [
      '',
      'Examples:',
      ...examples.map((example) => `  $ countersign ${example}`),
      '',
      'Exit codes:',
      '  0  done',
      ...(no === undefined ? [] : [`  1  ${no}`]),
      '  2  misused, or something is not reachable or not configured',
    ].join('\n'),
  );
}

type Act<A extends unknown[]> = (session: Session, ...args: A) => Promise<boolean | undefined>;

/** A command's action. False is the answer no (exit code 1). An error that it throws is printed, never with a stack. */
export function acts<A extends unknown[]>(command: Command, act: Act<A>): Command {
  return command.action(async (...args: unknown[]) => {
    // commander passes the arguments, the options, and the command itself.
    const given = args.slice(0, -1) as A;
    try {
      if ((await act(session(command), ...given)) === false) process.exitCode = 1;
    } catch (error) {
      process.exitCode = reportError(error, command.optsWithGlobals<{ json?: boolean }>().json === true);
    }
  });
}

/** Prints what went wrong to the error output; returns the exit code. */
export function reportError(error: unknown, json: boolean): number {
  const exitCode = error instanceof Failure ? error.exitCode : 2;
  const known = error instanceof Failure || error instanceof Misused;
  const detail = known ? error.message : `unexpected: ${error instanceof Error ? error.message : String(error)}`;
  const problem = error instanceof Failure ? error.problem : undefined;
  process.stderr.write(
    json ? `${jsonText({ error: detail, exitCode, problem })}\n` : `countersign: ${printableLines(detail)}\n`,
  );
  return exitCode;
}

/** For an option that may be given several times. */
export const repeated = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
