import { type TaskAssigned, TaskSettings } from '@countersign/contracts';

export type { TaskSettings as Settings };

/**
 * Reads a task's settings. If a setting has the wrong shape, the play is at fault, and the error names the setting. Settings for
 * other agents are ignored.
 */
export function readSettings(
  given: TaskAssigned['settings'],
): { readonly ok: true; readonly settings: TaskSettings } | { readonly ok: false; readonly detail: string } {
  const read = TaskSettings.safeParse(given);
  if (read.success) return { ok: true, settings: read.data };
  const issue = read.error.issues[0];
  return {
    ok: false,
    detail: `the play's setting ${issue?.path.join('.') ?? ''} does not fit: ${issue?.message ?? ''}`,
  };
}
