import { Button, Group, Select, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconArrowUp, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { takeSearch, useKeys } from '../../app/keys.js';
import { Empty } from '../../parts/empty.js';
import { Problem } from '../../parts/problem.js';
import { When } from '../../parts/when.js';
import { outcomes } from './outcomes.js';
import { type Filter, fewestCharacters, filterOf, namesQuery, type Story, storiesQuery } from './stories.queries.js';
import { StoryList } from './story-list.js';
import './stories.css';

/** What happened to each proposal, newest first, and the search for one of them. */
export function StoriesPage() {
  const filter = filterOf(useSearch({ strict: false }));
  const navigate = useNavigate();
  const names = useQuery(namesQuery);
  const stories = useInfiniteQuery(storiesQuery(filter));
  const narrow = (change: Partial<Record<keyof Filter, string | undefined>>) =>
    void navigate({ to: '/stories', search: { ...filter, ...change } as never, replace: true });
  const rows = stories.data?.pages.flatMap((page) => page.stories) ?? [];
  const chains = stories.data?.pages[0]?.chains ?? [];
  const narrowed = Object.keys(filter).length > 0;
  return (
    <Stack>
      <title>Stories · Countersign</title>
      <Title order={1} size="h2">
        Stories
      </Title>
      <Text c="dimmed">
        A story is what happened to one proposal of an agent: the signal that began it, the verdict, a person's answer,
        what was done. Each step can be checked against the record.
      </Text>
      <Search given={filter.search ?? ''} onSearch={(search) => narrow({ search })} />
      <Group gap="xs" align="flex-end" role="group" aria-label="Filter">
        <Select
          label="Outcome"
          placeholder="Any"
          data={Object.entries(outcomes).map(([value, { words }]) => ({ value, label: words }))}
          value={filter.outcome ?? null}
          clearable
          clearButtonProps={{ 'aria-label': 'Any outcome' }}
          onChange={(value) => narrow({ outcome: value ?? undefined })}
          w={{ base: '100%', xs: 220 }}
        />
        <Select
          label="Agent"
          placeholder="Any"
          data={withGiven(
            names.data?.agents.map((value) => ({ value, label: value })),
            filter.agent,
          )}
          value={filter.agent ?? null}
          clearable
          clearButtonProps={{ 'aria-label': 'Any agent' }}
          onChange={(value) => narrow({ agent: value ?? undefined })}
          w={{ base: '100%', xs: 200 }}
        />
        <Select
          label="Play"
          placeholder="Any"
          data={withGiven(names.data?.plays, filter.play)}
          value={filter.play ?? null}
          clearable
          clearButtonProps={{ 'aria-label': 'Any play' }}
          onChange={(value) => narrow({ play: value ?? undefined })}
          w={{ base: '100%', xs: 240 }}
        />
        {filter.account !== undefined && (
          <Button variant="light" onClick={() => narrow({ account: undefined })}>
            Account {filter.account}: show all accounts
          </Button>
        )}
      </Group>
      {stories.isError && <Problem error={stories.error} again={() => void stories.refetch()} />}
      {stories.isPending && [1, 2, 3, 4].map((n) => <Skeleton key={n} h={92} />)}
      <div role="status" className="only-heard">
        {stories.data && `${rows.length} stories${stories.hasNextPage ? ', and more' : ''}`}
      </div>
      {rows.length > 0 && <Arriving key={JSON.stringify(filter)} rows={rows} />}
      {chains.length > 0 && (
        <Stack gap="xs">
          <Title order={2} size="h4">
            No proposal has this name. This does:
          </Title>
          {chains.map((chain) => (
            <Link key={chain.id} to="/stories/$id" params={{ id: chain.id }} className="row">
              <Text>{chain.detail}</Text>
              <Text size="sm" c="dimmed">
                <When at={chain.at} />
              </Text>
            </Link>
          ))}
        </Stack>
      )}
      {stories.data && rows.length === 0 && chains.length === 0 && <Nothing filter={filter} narrowed={narrowed} />}
      {stories.hasNextPage && (
        <Button variant="light" loading={stories.isFetchingNextPage} onClick={() => void stories.fetchNextPage()}>
          Show older stories
        </Button>
      )}
    </Stack>
  );
}

/** The stories that existed when the list was opened. Newer ones wait behind a button, so that no row moves while somebody reads. */
function Arriving({ rows }: { readonly rows: readonly Story[] }) {
  const [newest, setNewest] = useState(rows[0]?.startedAt ?? '');
  const shown = rows.filter(({ startedAt }) => startedAt <= newest);
  const more = rows.length - shown.length;
  return (
    <>
      <div aria-live="polite" className="arrivals">
        {more > 0 && (
          <Button
            variant="light"
            fullWidth
            leftSection={<IconArrowUp size={16} aria-hidden />}
            onClick={() => setNewest(rows[0]?.startedAt ?? '')}
          >
            {more} new
          </Button>
        )}
      </div>
      <StoryList stories={shown} />
    </>
  );
}

/** The chosen value is among the choices, even if the policy does not name it any more. */
function withGiven(known: readonly { value: string; label: string }[] | undefined, given: string | undefined) {
  const all = [...(known ?? [])];
  if (given !== undefined && !all.some(({ value }) => value === given)) all.push({ value: given, label: given });
  return all;
}

function Search({
  given,
  onSearch,
}: {
  readonly given: string;
  readonly onSearch: (text: string | undefined) => void;
}) {
  const [text, setText] = useState(given);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => setText(given), [given]);
  useEffect(() => {
    if (takeSearch()) field.current?.focus();
  }, []);
  useKeys({ '/': () => requestAnimationFrame(() => field.current?.focus()) });
  const short = text.trim() !== '' && text.trim().length < fewestCharacters;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!short) onSearch(text.trim() || undefined);
  };
  return (
    <search>
      <form onSubmit={submit}>
        <Group gap="xs" align="flex-end" wrap="nowrap">
          <TextInput
            ref={field}
            className="grow"
            label="Find a story"
            description="Any id or its first characters, an account, a contact, a campaign"
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value);
              if (event.currentTarget.value === '') onSearch(undefined);
            }}
            error={short ? `Write at least ${fewestCharacters} characters.` : undefined}
            maxLength={300}
            type="search"
            autoComplete="off"
          />
          <Button type="submit" className="never-narrower" leftSection={<IconSearch size={16} aria-hidden />}>
            Find
          </Button>
        </Group>
      </form>
    </search>
  );
}

function Nothing({ filter, narrowed }: { readonly filter: Filter; readonly narrowed: boolean }) {
  if (filter.search !== undefined)
    return (
      <Empty title="Nothing was found with this name">
        Check the spelling, or take a filter away. The console knows the last 30 days; the record keeps everything: on
        the command line, <code>npx countersign show {filter.search}</code> tells what it has.
      </Empty>
    );
  return narrowed ? (
    <Empty title="No story fits these filters">Take one away to see the others.</Empty>
  ) : (
    <Empty title="No stories yet">
      When an agent proposes something, its story appears here within a second. With the sample, <code>npm start</code>{' '}
      makes some.
    </Empty>
  );
}
