import { defaultRangeExtractor, type Range, useWindowVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';

interface Props<T> {
  readonly rows: readonly T[];
  readonly keyOf: (row: T, index: number) => string;
  /** The approximate height of a row, in pixels, before it is measured. */
  readonly height: number;
  readonly gap?: number;
  /** Every row is in the page, one below the other. The rows are measured all the same, so that this may end at any time. */
  readonly whole?: boolean;
}

/**
 * Which rows of a list are on the screen, and where. The page contains only these rows and the row that has the focus. While the
 * page is printed, it contains every row that was read, one below the other.
 */
export function useRows<T>({ rows, keyOf, height, gap = 0, whole = false }: Props<T>) {
  const list = useRef<HTMLUListElement & HTMLOListElement>(null);
  // A position below the screen until the list is measured, so that no invisible row is rendered.
  const [top, setTop] = useState(() => window.scrollY + window.innerHeight);
  // The content above the list may have another height by now.
  useLayoutEffect(() => {
    if (list.current) setTop(Math.round(list.current.getBoundingClientRect().top + window.scrollY));
  });
  const getItemKey = useCallback(
    (index: number) => {
      const row = rows[index];
      return row === undefined ? index : keyOf(row, index);
    },
    [rows, keyOf],
  );
  const printing = usePrinting();
  const all = whole || printing;
  const rangeExtractor = (range: Range): number[] => {
    if (printing) return rows.map((_, index) => index);
    const near = defaultRangeExtractor(range);
    // Without its row, the focus would return to the beginning of the page.
    const focused = list.current?.contains(document.activeElement)
      ? document.activeElement?.closest<HTMLElement>('[data-row]')?.dataset.row
      : undefined;
    const at = focused === undefined ? -1 : rows.findIndex((row, index) => keyOf(row, index) === focused);
    return at < 0 || near.includes(at) ? near : [...near, at].sort((a, b) => a - b);
  };
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => height,
    overscan: 4,
    rangeExtractor,
    gap,
    scrollMargin: top,
    getItemKey,
    // Without rounding: a hundred rounded rows would be some lines too high or too low.
    measureElement: (element, entry) => entry?.borderBoxSize[0]?.blockSize ?? element.getBoundingClientRect().height,
  });
  // If all rows are there, the browser moves the others when one becomes higher.
  virtual.shouldAdjustScrollPositionOnItemSizeChange = all ? () => false : undefined;
  // Read in any case: rows are measured only after this.
  const total = virtual.getTotalSize();
  const measured = (index: number) => ({
    ref: virtual.measureElement,
    'data-index': index,
    'data-row': keyOf(rows[index] as T, index),
  });
  return {
    list,
    height: all ? undefined : total,
    shown: whole
      ? rows.map((row, index) => ({
          row,
          index,
          place: { ...measured(index), key: keyOf(row, index), style: index === 0 ? {} : { marginTop: gap } },
        }))
      : virtual.getVirtualItems().flatMap(({ index, start }) => {
          const row = rows[index];
          return row === undefined
            ? []
            : [
                {
                  row,
                  index,
                  /** The ref for the element of the row, which is then measured. */
                  place: {
                    ...measured(index),
                    key: keyOf(row, index),
                    'aria-posinset': index + 1,
                    'aria-setsize': rows.length,
                    style: printing ? {} : { transform: `translateY(${Math.round(start - top)}px)` },
                  },
                },
              ];
        }),
    scrollTo: (index: number) => virtual.scrollToIndex(index, { align: 'auto' }),
  };
}

/** Whether the page is being printed. */
function usePrinting(): boolean {
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    // The browser prints the page as it is when this returns.
    const begin = () => flushSync(() => setPrinting(true));
    const end = () => setPrinting(false);
    window.addEventListener('beforeprint', begin);
    window.addEventListener('afterprint', end);
    return () => {
      window.removeEventListener('beforeprint', begin);
      window.removeEventListener('afterprint', end);
    };
  }, []);
  return printing;
}
