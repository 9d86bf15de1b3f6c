import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';

interface Props<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** About how high a row is, in pixels, before it is measured. */
  readonly height: number;
  readonly children: (row: T) => ReactNode;
}

/** A list of which only what is on the screen is in the page, however long it is. */
export function LongList<T>({ label, rows, keyOf, height, children }: Props<T>) {
  const list = useRef<HTMLUListElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => setTop(list.current?.offsetTop ?? 0), []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => height,
    overscan: 6,
    gap: 12,
    scrollMargin: top,
    getItemKey: (index) => keyOf(rows[index] as T),
  });
  return (
    <ul
      ref={list}
      aria-label={label}
      style={{ height: virtual.getTotalSize(), position: 'relative', margin: 0, padding: 0, listStyle: 'none' }}
    >
      {virtual.getVirtualItems().map(({ key, index, start }) => (
        <li
          key={key}
          ref={virtual.measureElement}
          data-index={index}
          aria-posinset={index + 1}
          aria-setsize={rows.length}
          style={{ position: 'absolute', top: 0, left: 0, right: 0, transform: `translateY(${start - top}px)` }}
        >
          {children(rows[index] as T)}
        </li>
      ))}
    </ul>
  );
}
