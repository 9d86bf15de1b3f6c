import { Button, Card, Group, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Empty } from '../../parts/empty.js';
import { Id } from '../../parts/id.js';
import { LongList } from '../../parts/long-list.js';
import { PageLink, personPath } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { When } from '../../parts/when.js';
import { type Person, peopleQuery } from './people.queries.js';
import { personText } from './words.js';

/** Everybody who was named in a signal, found by account, role or contact id. */
export function PeoplePage() {
  const { q = '' } = useSearch({ from: '/signed-in/people' });
  const navigate = useNavigate();
  const [text, setText] = useState(q);
  const people = useInfiniteQuery(peopleQuery(q));
  const rows = people.data?.pages.flatMap((page) => page.people) ?? [];
  const incomplete = people.data?.pages.some((page) => page.incomplete) ?? false;
  const search = (event: FormEvent) => {
    event.preventDefault();
    const sought = text.trim();
    void navigate({ to: '/people', search: sought === '' ? {} : { q: sought } });
  };
  return (
    <Stack>
      <title>People · Countersign</title>
      <div>
        <Title order={1} size="h2">
          People
        </Title>
        <Text c="dimmed">
          What a person agreed to, what reached them, and what was refused and why. The console knows people by their
          role and account. Their names and addresses are masked. Whoever’s data or activity changed last comes first.
        </Text>
      </div>
      <search aria-label="People">
        <form onSubmit={search}>
          <Group align="flex-end">
            <TextInput
              label="Account or role"
              description="The beginning of an account’s name, a role such as CFO, both, or the id of an account or contact"
              type="search"
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              maxLength={200}
              flex={1}
              miw={200}
            />
            <Button type="submit" leftSection={<IconSearch size={16} aria-hidden />}>
              Search
            </Button>
          </Group>
        </form>
      </search>
      {people.isError && <Problem error={people.error} again={() => void people.refetch()} />}
      {people.isPending && [1, 2, 3, 4].map((n) => <Skeleton key={n} h={84} />)}
      {people.isSuccess && rows.length === 0 && !incomplete && (
        <Empty title={q === '' ? 'Nobody is known yet' : 'Nobody was found'}>
          {q === ''
            ? 'A person appears here as soon as a signal names them: a visit, a form, an entry of the CRM.'
            : 'Look for the beginning of the account’s name, such as “Lumen”, or for a role as the list shows it, such as “CFO” or “director (sales) of Lumen”. Names of people are not here, so they cannot be searched.'}
        </Empty>
      )}
      {rows.length > 0 && (
        <LongList label="People" rows={rows} keyOf={({ contactId }) => contactId} height={84}>
          {personCard}
        </LongList>
      )}
      {incomplete && (
        <Text size="sm">
          The names of more accounts begin with “{q}” than are looked at here. Write more of the name to find the
          others.
        </Text>
      )}
      {people.hasNextPage && (
        <Button variant="default" onClick={() => void people.fetchNextPage()} loading={people.isFetchingNextPage}>
          Show more
        </Button>
      )}
    </Stack>
  );
}

const personCard = (person: Person) => <PersonCard person={person} />;

const PersonCard = ({ person }: { readonly person: Person }) => (
  <Card withBorder>
    <div className="row-line apart">
      <PageLink className="strong breaks" to={personPath(person.contactId)}>
        {personText(person)}
      </PageLink>
      <Id id={person.contactId} label="id of the contact" />
    </div>
    <p className="row-note">
      {person.joinedInto !== null
        ? 'Joined: the same person is kept under another id'
        : person.lastEngagedAt === null
          ? 'No activity known'
          : 'Last active '}
      {person.joinedInto === null && person.lastEngagedAt !== null && <When at={person.lastEngagedAt} />}
    </p>
  </Card>
);
