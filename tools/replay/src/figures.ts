import { own } from '@countersign/contracts';

type Mark = ',' | '.';

/** What a column counts: whole things (clicks, micros), or anything with decimals (money, conversions). */
export type FigureKind = 'count' | 'decimal';

/** A number as it was written, or why it is none. `none`: the cell says that there is no figure. */
export type Figure =
  | { readonly as: 'number'; readonly decimal: string; readonly currency: string | undefined }
  | { readonly as: 'none' }
  | { readonly as: 'unread'; readonly expected: string };

interface Parts {
  readonly negative: boolean;
  readonly currency: string | undefined;
  readonly digits: string;
}
interface Reading {
  readonly mark: Mark;
  readonly whole: string;
  readonly fraction: string;
}

const noFigure = /^(?:[-–—−]{1,3}|n\/?a|#n\/a|nan)$/i;
// A single letter after a number may be a factor (`1.2K`), so a currency there has two letters or is a sign.
const written =
  /^([-+−]?)\s*([\p{L}\p{Sc}]{1,4}\.?)?\s*([-+−]?)\s*([\d.,](?:[\d.,'’\s]*[\d.,])?)\s*(\p{Sc}|\p{L}[\p{L}\p{Sc}]{1,3}\.?)?\s*([-−]?)$/u;

/** Sign, currency and digits with their separators; undefined where the text is no number. */
function partsOf(text: string): Parts | undefined {
  const inner = /^\((.*)\)$/su.exec(text)?.[1];
  const [, before = '', prefix, between = '', digits = '', suffix, after = ''] =
    written.exec((inner ?? text).trim()) ?? [];
  const signs = before + between + after;
  if (digits === '' || signs.length > (inner === undefined ? 1 : 0) || (prefix && suffix)) return undefined;
  return { negative: inner !== undefined || /[-−]/.test(signs), currency: prefix ?? suffix, digits };
}

/** The number where `mark` begins its decimals; groups are of three digits, or as in India, and divided by one character. */
function readingBy(mark: Mark, digits: string): Reading | undefined {
  const [whole = '', fraction = '', ...more] = digits.split(mark);
  if (more.length > 0 || !/^\d*$/.test(fraction) || whole + fraction === '') return undefined;
  const group = mark === '.' ? ',' : '.';
  const grouped = new RegExp(`^[1-9]\\d{0,2}([${group}\\s'’])\\d{3}(?:\\1\\d{3})*$`, 'u');
  const fits = /^\d*$/.test(whole) || grouped.test(whole) || (mark === '.' && /^[1-9]\d?(?:,\d\d)*,\d{3}$/.test(whole));
  return fits ? { mark, whole: whole.replace(/\D/g, ''), fraction } : undefined;
}

/** Every reading that the number and what its column counts leave open; several where they differ in value. */
function readingsOf(digits: string, kind: FigureKind): readonly Reading[] {
  const open = (['.', ','] as const).map((mark) => readingBy(mark, digits)).filter((r) => r !== undefined);
  const fitting = kind === 'count' ? open.filter((r) => /^0*$/.test(r.fraction)) : open;
  return /[.,]/.test(digits) ? fitting : fitting.slice(0, 1);
}

/**
 * How the columns of one file write numbers. `1,049` is about one thousand or about one. The column decides, or otherwise the file,
 * if it shows its decimal mark elsewhere. Nothing is guessed: a number that stays ambiguous is not read.
 */
export class NumberStyle {
  private readonly marks = new Map<string, Set<Mark>>();
  private readonly ungrouped = new Set<string>();

  constructor(private readonly kinds: Readonly<Record<string, FigureKind>> = {}) {}

  /** Reads what a cell shows about the form of numbers. Read a whole file before the first `read`. */
  learn(column: string, text: string): void {
    const kind = own(this.kinds, column);
    const digits = kind && partsOf(text)?.digits;
    if (!kind || !digits) return;
    if (/^\d{4,}/.test(digits)) this.ungrouped.add(column);
    const [only, ...others] = readingsOf(digits, kind);
    if (!only || others.length > 0 || !/[.,]/.test(digits)) return;
    this.marks.set(column, (this.marks.get(column) ?? new Set()).add(only.mark));
  }

  read(column: string, text: string): Figure {
    const kind = own(this.kinds, column) ?? 'decimal';
    if (noFigure.test(text)) return { as: 'none' };
    if (text.endsWith('%')) return { as: 'unread', expected: 'a number, not a percentage, is expected' };
    const parts = partsOf(text);
    if (!parts || (kind === 'count' && parts.currency !== undefined)) {
      return { as: 'unread', expected: kind === 'count' ? 'a whole number is expected' : 'a number is expected' };
    }
    const readings = readingsOf(parts.digits, kind);
    const marks = this.marks.get(column);
    if (marks?.size === 2 && /[.,]/.test(parts.digits)) {
      return { as: 'unread', expected: 'the column writes decimals with a comma and with a point' };
    }
    const reading = readings.length < 2 ? readings[0] : readings.find((r) => this.decides(column, r));
    if (!reading) {
      return {
        as: 'unread',
        expected:
          readings.length > 0
            ? 'no other number of the file shows whether the mark divides thousands or decimals'
            : kind === 'count'
              ? 'a whole number is expected'
              : 'a number is expected',
      };
    }
    const { whole, fraction } = reading;
    const size = `${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
    return { as: 'number', decimal: parts.negative ? `-${size}` : size, currency: parts.currency };
  }

  private decides(column: string, { mark, fraction }: Reading): boolean {
    const own = this.marks.get(column);
    if (own) return own.has(mark);
    // A column that writes 1049 without a mark divides no thousands.
    if (this.ungrouped.has(column)) return fraction !== '';
    const all = new Set([...this.marks.values()].flatMap((marks) => [...marks]));
    return all.size === 1 && all.has(mark);
  }
}

/** Whether an amount that is marked so can be of a currency: by its code, or by a sign that English texts use for it. */
export function isMarkOf(mark: string, currency: string): boolean {
  const signs = (['symbol', 'narrowSymbol'] as const).map(
    (currencyDisplay) =>
      new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay })
        .formatToParts(0)
        .find((part) => part.type === 'currency')?.value ?? currency,
  );
  const known = [currency, ...signs, ...signs.map((sign) => currency.slice(0, 2) + sign)];
  return known.some((sign) => sign.toUpperCase() === mark.replace(/\.$/, '').toUpperCase());
}

/** The shape of a text without its content: `1,049` becomes `9,999`, words become `a`. */
export const formOf = (text: string): string =>
  text
    .replace(/\p{L}+/gu, 'a')
    .replace(/\p{N}/gu, '9')
    .slice(0, 30);
