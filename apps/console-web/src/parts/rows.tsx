import type { ReactNode } from 'react';
import { LongList } from './long-list.js';

interface Props<T> {
  readonly label: string;
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string;
  readonly children: (item: T) => ReactNode;
}

/** From so many rows on only those in sight are made. */
const many = 15;

/** A list of rows; a long one has only the rows in sight. */
export function Rows<T>({ label, items, keyOf, children }: Props<T>) {
  if (items.length > many)
    return (
      <LongList label={label} rows={items} keyOf={keyOf} height={108} gap={0} className="rows">
        {children}
      </LongList>
    );
  return (
    <ul className="rows" aria-label={label}>
      {items.map((item) => (
        <li key={keyOf(item)}>{children(item)}</li>
      ))}
    </ul>
  );
}
