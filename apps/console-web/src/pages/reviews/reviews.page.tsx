import { Button, Group, Select, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconArrowUp, IconFilter } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { capital } from '../../parts/capital.js';
import { Empty } from '../../parts/empty.js';
import { Problem } from '../../parts/problem.js';
import { choices, type Filter, filterOf, fits, inOrder, rowsOf, states, stateWords, withMore } from './queue.js';
import { Queue } from './queue-list.js';
import { type ReviewCard, reviewsQuery } from './reviews.queries.js';

/** What waits, or waited, for a person. */
export function ReviewsPage() {
  const filter = filterOf(useSearch({ strict: false }));
  const navigate = useNavigate();
  const [filtering, { toggle }] = useDisclosure();
  const reviews = useInfiniteQuery(reviewsQuery(filter.state === 'all' ? undefined : filter.state));
  const narrow = (change: Partial<Record<keyof Filter, string | undefined>>) =>
    void navigate({ to: '/reviews', search: { ...filter, ...change } as never, replace: true });
  const known = reviews.data?.cards ?? [];
  const offered = choices(known);
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
        <Select
          label="State"
          data={states.map((value) => ({ value, label: stateWords[value] }))}
          value={filter.state}
          allowDeselect={false}
          onChange={(value) => narrow({ state: value ?? 'open' })}
        />
        {(['agent', 'kind', 'play', 'account'] as const).map((name) => (
          <Select
            key={name}
            label={capital(name)}
            placeholder="Any"
            data={[...new Set([...offered[name], ...(filter[name] ? [filter[name]] : [])])]}
            value={filter[name] ?? null}
            clearable
            clearButtonProps={{ 'aria-label': `Any ${name}` }}
            onChange={(value) => narrow({ [name]: value ?? undefined })}
            w={{ base: '100%', xs: 160 }}
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
  const arrange = (cards: readonly ReviewCard[]) => (ordered ? inOrder(cards, Date.now()) : [...cards]);
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
    if (arrived) setShown(ordered ? inOrder(known, Date.now()) : [...known]);
  }, [arrived, known, ordered]);
  if (rows.length === 0)
    return empty === 'queue' ? (
      <Empty title="Nothing waits for you">
        What a rule may not decide alone appears here with its deadline. You approve it, change it or reject it. Without
        an answer it is refused when the deadline has passed.
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
