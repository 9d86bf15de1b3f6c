import { type DataOf, type Deployment, isService, topics } from '@countersign/contracts';

/** The latest version of a scope that a reader of controls has confirmed. */
export type Confirmation = DataOf<'ControlConfirmed'> & { readonly reader: string };

/** A control as it is published. */
export interface Given {
  readonly scope: string;
  readonly version: number;
  /** Of the whole control, and of what a reader makes of it that does not know its newer members. */
  readonly digests: readonly string[];
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
  const asked = askedReaders(confirmers, { executors });
  const goesBy = new Set(
    confirmations
      .filter((c) => c.scope === control?.scope && c.version === control.version && control.digests.includes(c.digest))
      .map(({ reader }) => reader),
  );
  const confirmedBy = control ? asked.filter((reader) => goesBy.has(reader)) : [];
  const notConfirmedBy = control ? asked.filter((reader) => !goesBy.has(reader)) : [];
  return {
    confirmed: notConfirmedBy.length === 0,
    confirmedBy,
    notConfirmedBy,
    unknown: control ? executors.filter((reader) => !asked.includes(reader)) : [],
  };
}

/** The readers that a control waits for: the validator, our executors, and those elsewhere that have confirmed any control. */
export const askedReaders = (
  confirmers: ReadonlySet<string>,
  { executors }: Pick<Deployment, 'executors'>,
): readonly string[] =>
  ['guardrail-validator', ...executors].filter((reader) => isService(reader) || confirmers.has(reader));
