import { type TaskAssigned, TaskSettings } from '@countersign/contracts';

export type { TaskSettings as Settings };

/** Reads a task's settings; a setting of the wrong shape is the play's fault and named. Settings of others are ignored. */
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
