import { codeOf, Failure } from '@countersign/client';

/**
 * Throws if the database answered and refused: a wrong password, or a missing right. A part that cannot be reached at all is left
 * out and noted. A refusal would otherwise look the same, and a check that never ran would pass.
 */
export function throwIfDenied(error: unknown): void {
  const code = codeOf(error);
  if (!/^28\w{3}$/.test(code) && code !== '42501') return;
  throw new Failure(
    2,
    `the database refuses the audit's login (${code}): credentials/auditor.json is of another start, or a right is missing. ` +
      '`npm start` writes the file and grants the rights',
  );
}
