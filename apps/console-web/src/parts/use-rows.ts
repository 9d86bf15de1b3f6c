import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useLayoutEffect, useRef, useState } from 'react';

interface Props<T> {
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** About how high a row is, in pixels, before it is measured. */
  readonly height: number;
  readonly gap?: number;
}

/** Which rows of a list are on the screen, and where. Only they are in the page. */
export function useRows<T>({ rows, keyOf, height, gap = 0 }: Props<T>) {
  const list = useRef<HTMLUListElement>(null);
  // Below the screen until its place is measured: so no row is made that nobody sees.
  const [top, setTop] = useState(() => window.scrollY + window.innerHeight);
  // Whatever is above the list may have another height by now.
  useLayoutEffect(() => {
    if (list.current) setTop(Math.round(list.current.getBoundingClientRect().top + window.scrollY));
  });
  const getItemKey = useCallback(
    (index: number) => {
      const row = rows[index];
      return row === undefined ? index : keyOf(row);
    },
    [rows, keyOf],
  );
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => height,
    overscan: 4,
    gap,
    scrollMargin: top,
    getItemKey,
  });
  return {
    list,
    height: virtual.getTotalSize(),
    shown: virtual.getVirtualItems().flatMap(({ index, key, start }) => {
      const row = rows[index];
      return row === undefined
        ? []
        : [
            {
              row,
              index,
              /** Of the element of the row; it is measured. */
              place: {
                key,
                ref: virtual.measureElement,
                'data-index': index,
                'aria-posinset': index + 1,
                'aria-setsize': rows.length,
                style: { transform: `translateY(${start - top}px)` },
              },
            },
          ];
    }),
    scrollTo: (index: number) => virtual.scrollToIndex(index, { align: 'auto' }),
  };
}
