import {
  InspectionCheck as Check,
  type InspectionCheck,
  type InspectionEnded,
  inspectionKinds,
  inspectionOutcomes,
  mostInspectionChecks,
  Remark,
} from '@countersign/contracts';
import { z } from 'zod';

/** A command reports every few seconds. After so long without a word it is not shown as running, in milliseconds. */
export const silentMs = 90_000;

export const InspectionRequest = z.strictObject({ kind: z.enum(inspectionKinds) });

const Whole = z.int().nonnegative();
/** How far a command is. `total`: null where it does not know yet. */
export const InspectionProgress = z.strictObject({
  step: Remark(200).pipe(z.string().min(1)),
  done: Whole,
  total: Whole.nullable(),
});
export type InspectionProgress = z.infer<typeof InspectionProgress>;

const findingsIn = (checks: readonly InspectionCheck[]): number =>
  checks.reduce((sum, { findings }) => sum + findings, 0);

/** What came of it, as its command found it. */
export const InspectionEnd = z
  .strictObject({
    outcome: z.enum(inspectionOutcomes),
    checks: z.array(z.strictObject(Check.shape)).max(mostInspectionChecks),
  })
  .refine(({ outcome, checks }) => outcome === 'broken' || (outcome === 'findings') === findingsIn(checks) > 0, {
    path: ['outcome'],
    message: 'findings where a check has some, clean where none has; broken where the command could not finish',
  })
  .refine(({ outcome, checks }) => outcome !== 'clean' || checks.length > 0, {
    path: ['checks'],
    message: 'clean needs at least one check: a command that checked nothing has found nothing out',
  });
export type InspectionEnd = z.infer<typeof InspectionEnd>;

/** `silent`: the command has not reported for a while, and may have died. */
export const inspectionStates = ['running', 'silent', ...inspectionOutcomes] as const;
export type InspectionState = (typeof inspectionStates)[number];

/** An inspection as it is kept. */
export interface Inspection {
  readonly inspectionId: string;
  readonly kind: InspectionEnded['kind'];
  readonly by: string;
  readonly startedAt: string;
  readonly heardAt: string;
  readonly progress: InspectionProgress | null;
  readonly end: {
    readonly at: string;
    readonly outcome: InspectionEnded['outcome'];
    readonly checks: readonly InspectionCheck[];
  } | null;
}

export const stateOfInspection = ({ end, heardAt }: Pick<Inspection, 'end' | 'heardAt'>, at: string): InspectionState =>
  end?.outcome ?? (Date.parse(at) - Date.parse(heardAt) < silentMs ? 'running' : 'silent');

/** The one under way that is shown beside the last one that ended: one that died is not, once a later one has ended. */
export const shownAsOpen = (open: Inspection | undefined, ended: Inspection | undefined, at: string): boolean =>
  open !== undefined &&
  (ended?.end == null || stateOfInspection(open, at) === 'running' || open.startedAt > ended.end.at);
