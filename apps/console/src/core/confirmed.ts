import { type DataOf, type Deployment, isService, topics } from '@countersign/contracts';

/** The latest version of a scope that a reader of controls goes by. */
export type Confirmation = DataOf<'ControlConfirmed'> & { readonly reader: string };

/** A control as it is published. */
export interface Given {
  readonly scope: string;
  readonly version: number;
  readonly digest: string;
}

/** Who goes by a control. */
export interface Confirmed {
  /** The validator does, and of each executor that confirms controls at least one instance. */
  readonly confirmed: boolean;
  readonly confirmedBy: readonly string[];
  readonly notConfirmedBy: readonly string[];
  /** Executors that run elsewhere and have never confirmed any control: nobody knows what they go by. */
  readonly unknown: readonly string[];
}

const marker = '\u0000';
const [before = '', after = ''] = topics.controlsConfirmed(marker).name.split(marker);

/** Whose confirmations a topic holds; undefined where it is another topic. */
export const readerOf = (topic: string): string | undefined =>
  topic.startsWith(before) && topic.endsWith(after) ? topic.slice(before.length, -after.length) : undefined;

/** Who goes by this control; `confirmers` are the readers that have confirmed any. What was never said, everybody goes by. */
export function confirmed(
  control: Given | undefined,
  confirmations: readonly Confirmation[],
  confirmers: ReadonlySet<string>,
  { executors }: Pick<Deployment, 'executors'>,
): Confirmed {
  const confirms = (reader: string): boolean => isService(reader) || confirmers.has(reader);
  const readers = ['guardrail-validator', ...executors];
  const goesBy = new Set(
    confirmations
      .filter((c) => c.scope === control?.scope && c.version === control.version && c.digest === control.digest)
      .map(({ reader }) => reader),
  );
  const asked = readers.filter(confirms);
  const confirmedBy = control ? asked.filter((reader) => goesBy.has(reader)) : [];
  const notConfirmedBy = control ? asked.filter((reader) => !goesBy.has(reader)) : [];
  return {
    confirmed: notConfirmedBy.length === 0,
    confirmedBy,
    notConfirmedBy,
    unknown: control ? readers.filter((reader) => !confirms(reader)) : [],
  };
}
