import { memo, type ReactNode } from 'react';
import { useRows } from './use-rows.js';

interface Props<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** About how high a row is, in pixels, before it is measured. */
  readonly height: number;
  readonly gap?: number;
  readonly className?: string;
  readonly children: (row: T) => ReactNode;
}

/** A list of which only what is on the screen is in the page, however long it is. */
export function LongList<T>({ label, rows, keyOf, height, gap = 12, className = '', children }: Props<T>) {
  const virtual = useRows({ rows, keyOf, height, gap });
  return (
    <ul ref={virtual.list} aria-label={label} className={`queue ${className}`} style={{ height: virtual.height }}>
      {virtual.shown.map(({ row, place: { key, ...place } }) => (
        <li key={key} {...place}>
          <Row row={row} make={children as (row: unknown) => ReactNode} />
        </li>
      ))}
    </ul>
  );
}

/** While the list is scrolled, a row that stays is not made again. */
const Row = memo(({ row, make }: { readonly row: unknown; readonly make: (row: unknown) => ReactNode }) => make(row));
