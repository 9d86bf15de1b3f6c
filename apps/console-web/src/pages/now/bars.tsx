const height = 32;

/** Sixty minutes as bars, the oldest first. The figures beside them give the same in words. */
export function Bars({ values }: { readonly values: readonly number[] }) {
  const most = Math.max(1, ...values);
  return (
    <svg
      viewBox={`0 0 ${values.length * 4} ${height}`}
      width="100%"
      height={height}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      {values.map((n, place) => {
        const tall = n === 0 ? 1 : Math.max(3, (n / most) * height);
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar is the minute at its place
            key={place}
            x={place * 4}
            y={height - tall}
            width={3}
            height={tall}
            fill={n === 0 ? 'var(--mantine-color-gray-5)' : 'var(--mantine-primary-color-filled)'}
          />
        );
      })}
    </svg>
  );
}
