import { Button, Group, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconArrowUp, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import { takeSearch, useKeys } from '../../app/keys.js';
import { Empty } from '../../parts/empty.js';
import { FilterField } from '../../parts/filter-field.js';
import { PageLink } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { plainText } from '../../parts/reason.js';
import { When } from '../../parts/when.js';
import { outcomes } from './outcomes.js';
import { type Filter, fewestCharacters, filterOf, namesQuery, type Story, storiesQuery } from './stories.queries.js';
import { StoryList } from './story-list.js';
import { asSentence } from './words.js';
import './stories.css';

const outcomeChoices = Object.entries(outcomes).map(([value, { words }]) => ({ value, label: words }));

/** What happened to each proposal, newest first, and the search for one of them. */
export function StoriesPage() {
  const filter = filterOf(useSearch({ strict: false }));
  const navigate = useNavigate();
  const names = useQuery(namesQuery);
  const stories = useInfiniteQuery(storiesQuery(filter));
  const choose = useCallback(
    (name: string, value: string | undefined) => {
      const search = (before: Record<string, unknown>) => ({ ...filterOf(before), [name]: value });
      void navigate({ to: '/stories', search: search as never, replace: true });
    },
    [navigate],
  );
  const rows = stories.data?.pages.flatMap((page) => page.stories) ?? [];
  const chains = stories.data?.pages[0]?.chains ?? [];
  const incomplete = stories.data?.pages.some((page) => page.incomplete) ?? false;
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
      <Search given={filter.search ?? ''} onSearch={(text) => choose('search', text)} />
      <Group gap="xs" align="flex-end" role="group" aria-label="Filter">
        <FilterField name="outcome" choices={outcomeChoices} value={filter.outcome} width={220} onChoose={choose} />
        <FilterField
          name="agent"
          choices={withGiven(
            names.data?.agents.map((value) => ({ value, label: value })),
            filter.agent,
          )}
          value={filter.agent}
          width={200}
          onChoose={choose}
        />
        <FilterField
          name="play"
          choices={withGiven(names.data?.plays, filter.play)}
          value={filter.play}
          width={240}
          onChoose={choose}
        />
        {filter.account !== undefined && (
          <Button variant="light" onClick={() => choose('account', undefined)}>
            Account {accountName(rows, filter.account)}: show all accounts
          </Button>
        )}
      </Group>
      {names.isError && !stories.isError && <Problem error={names.error} again={() => void names.refetch()} />}
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
              <Text>{asSentence(plainText(chain.detail))}</Text>
              <Text size="sm" c="dimmed">
                <When at={chain.at} />
              </Text>
            </Link>
          ))}
        </Stack>
      )}
      {stories.data && rows.length === 0 && chains.length === 0 && !incomplete && (
        <Nothing filter={filter} narrowed={narrowed} />
      )}
      {incomplete && (
        <Text size="sm">
          More names begin with “{filter.search}” than are looked at here. Write more of the name to find the others.
        </Text>
      )}
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

/** The name of an account, if one of the listed stories has it. */
const accountName = (rows: readonly Story[], id: string): string =>
  rows.find(({ account }) => account?.id === id)?.account?.name ?? id;

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
            description="The beginning of the name of an account or a campaign, or of an id: of a proposal, an account, a contact, a campaign"
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
        The search finds stories by the beginning of the name of an account or a campaign, such as “Lumen”, and by the
        beginning of an id. It does not know roles of people: search these on the page{' '}
        <PageLink to="/people">People</PageLink>. Check the spelling, or take a filter away. The console knows the last
        30 days. For an older story, copy its whole id and give it to <code>npx countersign show</code> on the command
        line.
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
