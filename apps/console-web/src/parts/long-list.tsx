import { memo, type ReactNode, useState } from 'react';
import { OpenRows } from './use-open.js';
import { useRows } from './use-rows.js';

interface Props<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** About how high a row is, in pixels, before it is measured. */
  readonly height: number;
  readonly gap?: number;
  readonly className?: string;
  /** Whether the rows follow each other in an order that means something. */
  readonly ordered?: boolean;
  readonly children: (row: T) => ReactNode;
}

/** A list that begins with more rows than this makes only those in sight. */
const many = 100;

/** A list that may be as long as it likes. */
export function LongList<T>(props: Props<T>) {
  // Decided once: rows that were made anew while somebody looks at them would lose the focus.
  const [List] = useState(() => (props.rows.length > many ? InSight : Whole));
  const [open] = useState(() => new Set<string>());
  return (
    <OpenRows value={open}>
      <List {...(props as Props<unknown>)} />
    </OpenRows>
  );
}

/** Every row is there to be found, printed and reached. */
function Whole({ label, rows, keyOf, gap = 12, className = '', ordered = false, children }: Props<unknown>) {
  const List = ordered ? 'ol' : 'ul';
  return (
    <List aria-label={label} className={`whole ${className}`}>
      {rows.map((row, n) => (
        <li key={keyOf(row)} style={{ marginTop: n === 0 ? 0 : gap }}>
          <Row row={row} make={children} />
        </li>
      ))}
    </List>
  );
}

/** Only what is on the screen is in the page, and the row that has the focus. */
function InSight({ label, rows, keyOf, height, gap = 12, className = '', ordered = false, children }: Props<unknown>) {
  const virtual = useRows({ rows, keyOf, height, gap });
  const List = ordered ? 'ol' : 'ul';
  return (
    <List ref={virtual.list} aria-label={label} className={`queue ${className}`} style={{ height: virtual.height }}>
      {virtual.shown.map(({ row, place: { key, ...place } }) => (
        <li key={key} {...place}>
          <Row row={row} make={children} />
        </li>
      ))}
    </List>
  );
}

/** While the list is scrolled, a row that stays is not made again. */
const Row = memo(({ row, make }: { readonly row: unknown; readonly make: (row: unknown) => ReactNode }) => make(row));
