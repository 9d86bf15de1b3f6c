import { memo, type ReactNode, useState } from 'react';
import { useMade } from './use-made.js';
import { OpenRows } from './use-open.js';
import { useRows } from './use-rows.js';

interface Props<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly keyOf: (row: T, index: number) => string;
  /** The approximate height of a row, in pixels, before it is measured. */
  readonly height: number;
  readonly gap?: number;
  readonly className?: string;
  /** Whether the order of the rows has a meaning. */
  readonly ordered?: boolean;
  readonly children: (row: T) => ReactNode;
}

/** From more rows than this, the page contains only those on the screen. */
const many = 100;

/**
 * A list of any length, which may grow. While it is short, all rows are in the page, so that the browser's search and a screen
 * reader reach them; those that fill the screen come first. When it becomes long, only the rows on the screen and the row that has
 * the focus stay: they are the same elements as before, at the same place.
 */
export function LongList<T>({ label, rows, keyOf, height, gap = 12, className = '', ordered, children }: Props<T>) {
  const [open] = useState(() => new Set<string>());
  const [long, setLong] = useState(rows.length > many);
  if (!long && rows.length > many) setLong(true);
  const { made, room } = useMade(long ? 0 : rows.length, height + gap);
  const present = long ? rows : rows.slice(0, made);
  const { list, height: whole, shown } = useRows({ rows: present, keyOf, height, gap, whole: !long });
  const List = ordered ? 'ol' : 'ul';
  return (
    <OpenRows value={open}>
      <List
        ref={list}
        aria-label={label}
        aria-busy={present.length < rows.length || undefined}
        className={`${long ? 'queue' : 'whole'} ${className}`}
        style={{ height: whole, paddingBottom: room }}
      >
        {shown.map(({ row, place: { key, ...place } }) => (
          <li key={key} {...place}>
            <Row row={row} make={children as (row: unknown) => ReactNode} />
          </li>
        ))}
      </List>
    </OpenRows>
  );
}

/** While the person scrolls, a row that stays on the screen is not rendered again. */
const Row = memo(({ row, make }: { readonly row: unknown; readonly make: (row: unknown) => ReactNode }) => make(row));
