import { memo, type ReactNode, useState } from 'react';
import { OpenRows } from './use-open.js';
import { useRows } from './use-rows.js';

interface Props<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** The approximate height of a row, in pixels, before it is measured. */
  readonly height: number;
  readonly gap?: number;
  readonly className?: string;
  /** Whether the order of the rows has a meaning. */
  readonly ordered?: boolean;
  readonly children: (row: T) => ReactNode;
}

/** If a list begins with more rows than this, it renders only the rows in sight. */
const many = 100;

/** A list of any length. */
export function LongList<T>(props: Props<T>) {
  // This is decided once. Rows that are rendered anew while somebody reads them would lose the focus.
  const [List] = useState(() => (props.rows.length > many ? InSight : Whole));
  const [open] = useState(() => new Set<string>());
  return (
    <OpenRows value={open}>
      <List {...(props as Props<unknown>)} />
    </OpenRows>
  );
}

/** All rows are in the page, so that search, print and keyboard reach them. */
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

/** The page contains only the rows on the screen, and the row that has the focus. */
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

/** While the person scrolls, a row that stays on the screen is not rendered again. */
const Row = memo(({ row, make }: { readonly row: unknown; readonly make: (row: unknown) => ReactNode }) => make(row));
