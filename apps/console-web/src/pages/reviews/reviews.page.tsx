import { Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconArrowUp, IconFilter } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import { time } from '../../app/console-time.js';
import { Empty } from '../../parts/empty.js';
import { FilterField } from '../../parts/filter-field.js';
import { Problem } from '../../parts/problem.js';
import { choices, filterOf, fits, inOrder, rowsOf, states, stateWords, withMore } from './queue.js';
import { Queue } from './queue-list.js';
import { type ReviewCard, reviewsQuery } from './reviews.queries.js';

const stateChoices = states.map((value) => ({ value, label: stateWords[value] }));

/** What waits, or waited, for a person. */
export function ReviewsPage() {
  const filter = filterOf(useSearch({ strict: false }));
  const navigate = useNavigate();
  const [filtering, { toggle }] = useDisclosure();
  const reviews = useInfiniteQuery(reviewsQuery(filter.state === 'all' ? undefined : filter.state));
  const choose = useCallback(
    (name: string, value: string | undefined) => {
      const search = (before: Record<string, unknown>) => ({ ...filterOf(before), [name]: value });
      void navigate({ to: '/reviews', search: search as never, replace: true });
    },
    [navigate],
  );
  const known = reviews.data?.cards ?? [];
  const offered = choices(known, filter);
  const narrowed = Object.keys(filter).length > 1;
  return (
    <Stack>
      <title>Reviews · Countersign</title>
      <Title order={1} size="h2">
        Reviews
      </Title>
      <Button
        variant="default"
        hiddenFrom="sm"
        leftSection={<IconFilter size={16} aria-hidden />}
        onClick={toggle}
        aria-expanded={filtering}
        aria-controls="filter"
      >
        Filter{narrowed || filter.state !== 'open' ? ' (on)' : ''}
      </Button>
      <Group
        id="filter"
        gap="xs"
        align="flex-end"
        role="group"
        aria-label="Filter"
        {...(!filtering && { visibleFrom: 'sm' })}
      >
        <FilterField name="state" choices={stateChoices} value={filter.state} always onChoose={choose} />
        {(['agent', 'kind', 'play', 'account'] as const).map((name) => (
          <FilterField
            key={name}
            name={name}
            choices={offered[name]}
            value={filter[name]}
            width={160}
            onChoose={choose}
          />
        ))}
      </Group>
      {reviews.isError && <Problem error={reviews.error} again={() => void reviews.refetch()} />}
      {reviews.isPending && [1, 2, 3].map((n) => <Skeleton key={n} h={92} />)}
      {reviews.data && (
        <Listed
          key={JSON.stringify(filter)}
          known={known.filter((card) => fits(card, filter))}
          pages={reviews.data.pages}
          ordered={filter.state === 'open'}
          empty={narrowed || filter.state !== 'open' ? 'filter' : 'queue'}
        />
      )}
      {reviews.hasNextPage && (
        <>
          {narrowed && (
            <Text size="sm" c="dimmed">
              {known.length} reviews were searched. There are more.
            </Text>
          )}
          <Button variant="default" onClick={() => void reviews.fetchNextPage()} loading={reviews.isFetchingNextPage}>
            Show more
          </Button>
        </>
      )}
    </Stack>
  );
}

interface ListedProps {
  readonly known: readonly ReviewCard[];
  /** How many pages were read. */
  readonly pages: number;
  readonly ordered: boolean;
  readonly empty: 'filter' | 'queue';
}

/** The rows as they were when the list was opened. Later rows wait behind a button. */
function Listed({ known, pages, ordered, empty }: ListedProps) {
  const arrange = (cards: readonly ReviewCard[]) => (ordered ? inOrder(cards, time.now()) : [...cards]);
  const [shown, setShown] = useState<readonly ReviewCard[]>(() => arrange(known));
  // If the person asks for more, the later rows appear below without a second request.
  const [read, setRead] = useState(pages);
  if (pages !== read) {
    setRead(pages);
    if (pages > read) setShown([...shown, ...arrange(withMore(shown, known))]);
  }
  const { rows, more } = rowsOf(shown, known);
  // In an empty list nothing can move.
  const arrived = shown.length === 0 && known.length > 0;
  useEffect(() => {
    if (arrived) setShown(ordered ? inOrder(known, time.now()) : [...known]);
  }, [arrived, known, ordered]);
  if (rows.length === 0)
    return empty === 'queue' ? (
      <Empty title="Nothing waits for you">
        What a rule may not decide alone appears here with its deadline, and so do plays that ask before they give
        tasks. You approve it, change it or reject it. If nobody answers by the deadline, nothing runs.
      </Empty>
    ) : (
      <Empty title="No review fits these filters">Take one away, or choose another state.</Empty>
    );
  return (
    <>
      <div aria-live="polite" className="arrivals">
        {more > 0 && (
          <Button
            variant="light"
            fullWidth
            leftSection={<IconArrowUp size={16} aria-hidden />}
            onClick={() => setShown(arrange(known))}
          >
            {more} new
          </Button>
        )}
      </div>
      <Queue rows={rows} grouped={ordered} />
    </>
  );
}
