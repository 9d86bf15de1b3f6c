import { type DataOf, type Deployment, isService, topics } from '@countersign/contracts';

/** The latest version of a scope that a reader of controls has confirmed. */
export type Confirmation = DataOf<'ControlConfirmed'> & { readonly reader: string };

/** A control as it is published. */
export interface Given {
  readonly scope: string;
  readonly version: number;
  readonly digest: string;
}

/** Which readers follow a control. */
export interface Confirmed {
  /** The validator follows it, and for each executor that confirms controls, at least one instance does. */
  readonly confirmed: boolean;
  readonly confirmedBy: readonly string[];
  readonly notConfirmedBy: readonly string[];
  /** Executors elsewhere that have never confirmed any control: nobody knows whether they follow it. */
  readonly unknown: readonly string[];
}

const marker = '\u0000';
const [before = '', after = ''] = topics.controlsConfirmed(marker).name.split(marker);

/** The reader whose confirmations a topic holds; undefined for another topic. */
export const readerOf = (topic: string): string | undefined =>
  topic.startsWith(before) && topic.endsWith(after) ? topic.slice(before.length, -after.length) : undefined;

/**
 * Which readers follow this control. `confirmers` are the readers that have confirmed any control. A control that was never
 * changed counts as confirmed by all.
 */
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
