import { Badge, Group, Paper, Text, Title } from '@mantine/core';
import { IconArrowBackUpDouble, IconClock, IconCoin, IconUser } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { memo, useState } from 'react';
import { time } from '../../app/console-time.js';
import { useKeys } from '../../app/keys.js';
import { money } from '../../parts/money.js';
import { sentence } from '../../parts/sentence.js';
import { useRows } from '../../parts/use-rows.js';
import { When } from '../../parts/when.js';
import { agentsOf, gravity, type Row, stateOf, type Urgency, urgencyOf } from './queue.js';

const urgencyWords: Readonly<Record<Urgency, string>> = {
  hour: 'Due within the hour',
  day: 'Due within a day',
  later: 'Due later',
  past: 'Past their deadline',
};

/** The rows with their keys: `j` and `k` move through them, Enter opens one. */
export function Queue({ rows, grouped }: { readonly rows: readonly Row[]; readonly grouped: boolean }) {
  const navigate = useNavigate();
  const [at, setAt] = useState(-1);
  // The groups are those of the time when the list was made: a row does not change its group while somebody reads it.
  const [made] = useState(time.now);
  const { list, height, shown, scrollTo } = useRows({ rows, keyOf: idOf, height: 100 });
  const go = (step: number) => {
    const next = Math.min(Math.max(at + step, 0), rows.length - 1);
    setAt(next);
    scrollTo(next);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-index="${next}"] a`)?.focus());
  };
  const open = rows[at];
  useKeys({
    j: () => go(1),
    k: () => go(-1),
    Enter: open && (() => void navigate({ to: `/reviews/${open.card.id}` })),
  });
  const headingOf = (index: number): Urgency | undefined => {
    const [row, before] = [rows[index], rows[index - 1]];
    if (!grouped || !row) return undefined;
    const urgency = urgencyOf(row.card.deadline, made);
    return before && urgencyOf(before.card.deadline, made) === urgency ? undefined : urgency;
  };
  return (
    <ul ref={list} className="queue" style={{ height }}>
      {shown.map(({ row, index, place: { key, ...place } }) => {
        const heading = headingOf(index);
        return (
          <li key={key} {...place}>
            {heading && (
              <Title order={2} size="h5" py={4}>
                {urgencyWords[heading]}
              </Title>
            )}
            <ReviewRow card={row.card} gone={row.gone} index={index} onReach={setAt} />
          </li>
        );
      })}
    </ul>
  );
}

const idOf = ({ card }: Row): string => card.id;

interface RowProps extends Row {
  readonly index: number;
  readonly onReach: (index: number) => void;
}

/** While the person scrolls, a row that stays on the screen is not rendered again. */
const ReviewRow = memo(({ card, gone, index, onReach }: RowProps) => {
  const final = card.subject === 'proposal' && card.facts.reversible.startsWith('cannot');
  const senior = gravity(card) % 4 >= 2;
  return (
    <Paper
      withBorder
      p="sm"
      mb={8}
      component={Link}
      to={`/reviews/${card.id}`}
      onFocus={() => onReach(index)}
      className={gone ? 'row gone' : 'row'}
    >
      <Group justify="space-between" align="flex-start" gap="xs">
        <Text fw={600} className="grow">
          {sentence(card)}
        </Text>
        <Text size="sm" className="due">
          {gone ? (
            'No longer in this list'
          ) : card.state === 'open' ? (
            <>
              <IconClock size={14} aria-hidden /> answer due <When at={card.deadline} />
            </>
          ) : (
            stateOf(card)
          )}
        </Text>
      </Group>
      <Group gap="xs" mt={4}>
        <Text size="sm" c="dimmed" className="grow">
          {agentsOf(card).join(', ')} · {card.play.title}
          {card.facts.account !== null && ` · ${card.facts.account}`}
        </Text>
        {senior && (
          <Badge variant="outline" color="gray" leftSection={<IconUser size={12} aria-hidden />}>
            senior person
          </Badge>
        )}
        {card.subject === 'proposal' && card.facts.money && (
          <Badge variant="outline" color="gray" leftSection={<IconCoin size={12} aria-hidden />}>
            {money(card.facts.money.amountMinor, card.facts.money.currency)}
          </Badge>
        )}
        {final && (
          <Badge variant="outline" color="gray" leftSection={<IconArrowBackUpDouble size={12} aria-hidden />}>
            cannot be undone
          </Badge>
        )}
      </Group>
    </Paper>
  );
});
