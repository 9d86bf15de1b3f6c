import { Stack, Text } from '@mantine/core';
import { money } from '../../parts/money.js';
import { Moment } from '../../parts/when.js';

export interface Change {
  readonly name: string;
  readonly figure: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
  readonly by: number | undefined;
}

interface BarsProps {
  readonly changes: readonly Change[];
  readonly currency: string;
  /** When the figures before the change were reported. */
  readonly reportedAt: string;
}

/** Figures before and after as bars, all on one scale, each with its number beside it. */
export function Bars({ changes, currency, reportedAt }: BarsProps) {
  const most = Math.max(1, ...changes.flatMap(({ before = 0, after = 0 }) => [before, after]));
  return (
    <Stack gap="md" component="section" aria-label="Before and after">
      {changes.map((change) => (
        <figure key={change.name} className="bars">
          <figcaption>
            <Text fw={600}>{change.name}</Text>
            <Text size="sm" c="dimmed">
              {change.figure}
              {change.by !== undefined &&
                `, ${change.by < 0 ? 'less by' : 'more by'} ${money(Math.abs(change.by), currency)}`}
              {share(change)}
            </Text>
          </figcaption>
          {change.before === undefined ? (
            <Text size="sm">What it is now has not been reported.</Text>
          ) : (
            <Bar word="now" value={change.before} most={most} currency={currency} kind="before" />
          )}
          {change.after !== undefined && (
            <Bar word="then" value={change.after} most={most} currency={currency} kind="after" />
          )}
        </figure>
      ))}
      {changes.some(({ before }) => before !== undefined) && (
        <Text size="sm" c="dimmed">
          “Now” is what was reported by <Moment at={reportedAt} />.
        </Text>
      )}
    </Stack>
  );
}

interface BarProps {
  readonly word: string;
  readonly value: number;
  readonly most: number;
  readonly currency: string;
  readonly kind: 'before' | 'after';
}

const Bar = ({ word, value, most, currency, kind }: BarProps) => (
  <div className="bar">
    <Text size="sm" component="span">
      {word}
    </Text>
    <div className="track">
      <div className={kind} style={{ width: `${Math.max(0, (value / most) * 100)}%` }} />
    </div>
    <Text size="sm" component="span" className="numbers">
      {money(value, currency)}
    </Text>
  </div>
);

function share({ before, by }: Change): string {
  if (before === undefined || by === undefined || before === 0) return '';
  return ` (${((Math.abs(by) / before) * 100).toFixed(0)} %)`;
}
