import { own } from '@countersign/contracts';
import { type Figure, formOf, NumberStyle } from './figures.js';
import { instant, millionths, whole } from './values.js';

/** A cell that does not contain what its column should. Its row is refused. The message never contains the cell's text. */
export class Unread extends Error {}

const unread = (column: string, text: string, expected: string): Unread =>
  new Unread(`${column} holds ${JSON.stringify(formOf(text))}: ${expected}`);

const number = 'a number of at most 13 digits before its point';

export interface Amount {
  /** Millionths of the currency. */
  readonly amount: bigint;
  /** The code or sign that stands beside the amount. */
  readonly mark: string | undefined;
}

/**
 * The cells of one row. An empty cell, or a missing column, is undefined; a cell that cannot be read throws `Unread`. Exports put
 * `property_` before properties. If several names are given, the first with a value counts.
 */
export class Reader {
  constructor(
    private readonly cells: Readonly<Record<string, string>>,
    private readonly style: NumberStyle = new NumberStyle(),
  ) {}

  text(...names: readonly string[]): string | undefined {
    return this.cellOf(names)?.text;
  }

  /** Whether the file has the column, be the cell empty or not. */
  has(...names: readonly string[]): boolean {
    return names.some(
      (name) => own(this.cells, name) !== undefined || own(this.cells, `property_${name}`) !== undefined,
    );
  }

  /** The columns of the file whose name, without `property_`, is of a kind. */
  names(kind: RegExp): readonly string[] {
    const names = Object.keys(this.cells).map((name) => name.replace(/^property_/, ''));
    return names.filter((name) => kind.test(name));
  }

  /** An identifier of digits, as advertising platforms give them; dashes may divide it. */
  digits(...names: readonly string[]): string | undefined {
    return this.as(names, 'an identifier of digits is expected', (text) =>
      /^\d[\d-]*$/.test(text) ? text : undefined,
    );
  }

  instant(...names: readonly string[]): string | undefined {
    return this.as(names, 'a time such as 2026-11-21T10:00:00Z is expected', instant);
  }

  /** The calendar day as it is written, whatever offset stands behind it. */
  day(...names: readonly string[]): string | undefined {
    return this.as(names, 'a day such as 2026-11-21 is expected', (text) => {
      const time = instant(text);
      return time && (/^\d{4}-\d{2}-\d{2}/.exec(text)?.[0] ?? time.slice(0, 10));
    });
  }

  /** False where the cell says nothing. */
  flag(...names: readonly string[]): boolean {
    const read = this.as(names, 'true or false is expected', (text) =>
      /^(true|t|1|yes|y)$/i.test(text) ? 'yes' : /^(false|f|0|no|n)$/i.test(text) ? 'no' : undefined,
    );
    return read === 'yes';
  }

  /** A word of a list, in capitals. */
  word<T>(words: Readonly<Record<string, T>>, ...names: readonly string[]): T | undefined {
    const cell = this.cellOf(names);
    if (!cell) return undefined;
    const word = cell.text.toUpperCase();
    if (!Object.hasOwn(words, word)) throw unread(cell.name, cell.text, 'it is no status that is known');
    return own(words, word);
  }

  /** A whole number from zero. Undefined if the column is missing or says that it has no figure; an empty cell is zero. */
  count(...names: readonly string[]): number | undefined {
    return this.optional(names, 0, (figure, refuse) => whole(figure.decimal) ?? refuse('a whole number from zero'));
  }

  /** Millionths of a number, by the same rule as `count`. */
  decimal(...names: readonly string[]): bigint | undefined {
    return this.optional(names, 0n, ({ currency, decimal }, refuse) =>
      currency === undefined ? (millionths(decimal) ?? refuse(number)) : refuse('a number without a currency'),
    );
  }

  /** An amount that the row must state: the column must exist and give a figure. An empty cell is zero. */
  amount(...names: readonly string[]): Amount {
    const found = this.optional(names, { amount: 0n, mark: undefined }, readAmount);
    if (found) return found;
    const cell = this.cellOf(names);
    if (!cell) throw new Unread(`the file has no column ${names.join(' or ')}`);
    throw unread(cell.name, cell.text, 'an amount is expected');
  }

  /** An amount that the row may leave out. */
  amountIfAny(...names: readonly string[]): Amount | undefined {
    return this.cellOf(names) && this.optional(names, undefined, readAmount);
  }

  /** Without an identifier in the named cell, the row looks like the totals below a downloaded table. */
  isTotal(...names: readonly string[]): boolean {
    const id = this.text(...names);
    if (id !== undefined && /^\d/.test(id)) return false;
    return (
      (id !== undefined && /^[-–—]+$/.test(id)) ||
      Object.values(this.cells).some((text) => /^(grand )?totals?\b/i.test(text))
    );
  }

  private optional<T>(
    names: readonly string[],
    empty: T,
    take: (figure: Extract<Figure, { as: 'number' }>, refuse: (expected: string) => never) => T,
  ): T | undefined {
    const cell = this.cellOf(names);
    if (!cell) return this.has(...names) ? empty : undefined;
    const refuse = (expected: string): never => {
      throw unread(cell.name, cell.text, expected);
    };
    const figure = this.style.read(cell.name, cell.text);
    if (figure.as === 'unread') return refuse(figure.expected);
    return figure.as === 'none' ? undefined : take(figure, (expected) => refuse(`${expected} is expected`));
  }

  private as(names: readonly string[], expected: string, read: (text: string) => string | undefined) {
    const cell = this.cellOf(names);
    if (!cell) return undefined;
    const value = read(cell.text);
    if (value === undefined) throw unread(cell.name, cell.text, expected);
    return value;
  }

  private cellOf(names: readonly string[]): { readonly name: string; readonly text: string } | undefined {
    for (const name of names.flatMap((n) => [n, `property_${n}`])) {
      const text = own(this.cells, name);
      if (text !== undefined && text !== '' && text.toLowerCase() !== 'null') return { name, text };
    }
    return undefined;
  }
}

const readAmount = (
  { decimal, currency: mark }: Extract<Figure, { as: 'number' }>,
  refuse: (expected: string) => never,
): Amount => ({ amount: millionths(decimal) ?? refuse(number), mark });
