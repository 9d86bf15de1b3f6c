import { clock, type Paint, printable } from '@countersign/client/core';
import type { OpenedReveal } from '@countersign/contracts';

/** A reveal as the console shows it to the person who asked. */
export interface PersonReveal {
  readonly state: 'waiting' | 'sealed' | 'refused' | 'unanswered';
  readonly reason: { readonly detail: string } | null;
  readonly jwe: string | null;
}

/** Who asked for the data of a person. */
export interface PersonReveals {
  readonly reveals: readonly (Omit<PersonReveal, 'jwe'> & {
    readonly revealId: string;
    readonly by: string;
    readonly fields: readonly string[];
    readonly purpose: string;
    readonly note: string;
    readonly at: string;
  })[];
  readonly next: string | null;
}

export function revealsText(paint: Paint, given: PersonReveals): string {
  const { reveals, next } = printable(given);
  if (reveals.length === 0) return 'Nobody has asked for the name or the address in the time that the console keeps.';
  const rows = reveals.map(
    ({ at, by, fields, purpose, note, state, reason, revealId }) =>
      `${clock(at)}  ${by}: ${fields.join(', ')}, ${purpose} “${note}”: ${state}${reason ? `, ${reason.detail}` : ''}  ${revealId}`,
  );
  return [...rows, ...(next === null ? [] : [paint.dim(`Older ones: --before ${next}`)])].join('\n');
}

/** The data that was asked for and is known, one line each. */
export function revealedText(paint: Paint, given: OpenedReveal): string {
  const { firstName, lastName, email, phone } = printable(given);
  const name = [firstName, lastName].filter((part) => part !== undefined).join(' ');
  return [
    ...(name === '' ? [] : [`name   ${paint.bold(name)}`]),
    ...(email === undefined ? [] : [`email  ${email}`]),
    ...(phone === undefined ? [] : [`phone  ${phone}`]),
    paint.dim(`The record says that you asked, and why: countersign show ${given.revealId}`),
  ].join('\n');
}
