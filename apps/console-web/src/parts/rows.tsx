import type { ReactNode } from 'react';
import { LongList } from './long-list.js';

interface Props<T> {
  readonly label: string;
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string;
  readonly children: (item: T) => ReactNode;
}

/** A list of rows with a line below each. */
export function Rows<T>({ label, items, keyOf, children }: Props<T>) {
  if (items.length === 0) return null;
  return (
    <LongList label={label} rows={items} keyOf={keyOf} height={108} gap={0} className="rows">
      {children}
    </LongList>
  );
}
