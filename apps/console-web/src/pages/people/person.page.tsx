import { Alert, Anchor, Button, Card, Group, List, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { time } from '../../app/console-time.js';
import { capital } from '../../parts/capital.js';
import { Empty } from '../../parts/empty.js';
import { Id } from '../../parts/id.js';
import { LongList } from '../../parts/long-list.js';
import { PageLink, storyPath } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { plainReason } from '../../parts/reason.js';
import { regionWords } from '../../parts/regions.js';
import { withAccount } from '../../parts/sentence.js';
import { Standing } from '../../parts/standing.js';
import { When } from '../../parts/when.js';
import { Looked } from './looked.js';
import { NameCard } from './name-card.js';
import { type PersonAction, personActionsQuery, personQuery, type WholePerson } from './people.queries.js';
import { channelWords, consentWords, personText, suppressionWords, touchWords } from './words.js';

/** One person: what they agreed to, what reached them, what was refused. */
export function PersonPage() {
  const { contactId } = useParams({ from: '/signed-in/people/$contactId' });
  const person = useQuery(personQuery(contactId));
  const actions = useInfiniteQuery(personActionsQuery(contactId));
  if (person.isError)
    return (
      <Stack>
        <title>Person · Countersign</title>
        <Title order={1} size="h2">
          Person
        </Title>
        <Problem error={person.error} again={() => void person.refetch()} />
        <Anchor component={Link} to="/people">
          Search people
        </Anchor>
      </Stack>
    );
  // All parts appear at the same time, so that none moves another down.
  if (person.isPending || actions.isPending)
    return (
      <Stack>
        <title>Person · Countersign</title>
        <PageLink to="/people" size="sm">
          All people
        </PageLink>
        <Title order={1} size="h2">
          Person
        </Title>
        <Skeleton h={640} />
      </Stack>
    );
  return (
    <Stack>
      <title>{`${personText(person.data)} · Countersign`}</title>
      <PageLink to="/people" size="sm">
        All people
      </PageLink>
      <div>
        <Title order={1} size="h2" className="breaks">
          {personText(person.data)}
        </Title>
        <Id id={contactId} label="id of the contact" />
      </div>
      <Known person={person.data} />
      <Touched contactId={contactId} accountName={person.data.account?.name} />
      <Looked contactId={contactId} />
    </Stack>
  );
}

function Known({ person }: { readonly person: WholePerson }) {
  const { account, joinedInto, reachable, firstTouchedAt, lastEngagedAt, country, timeZone } = person;
  return (
    <>
      {joinedInto !== null && (
        <Alert title="Kept under another id">
          A source said that this is the same person as another contact. What is known is kept there, and nothing
          reaches this id any more.{' '}
          <Anchor component={Link} to={`/people/${joinedInto}`}>
            Show that contact
          </Anchor>
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card withBorder component="section" aria-labelledby="who">
          <Title order={2} size="h4" id="who">
            Who it is
          </Title>
          <List size="sm" mt="xs" spacing={4} listStyleType="none">
            {account && (
              <List.Item className="breaks">
                Account: {account.name ?? account.accountId}
                {account.tier !== null && `, tier ${account.tier}`}
              </List.Item>
            )}
            {(country ?? timeZone) !== null && (
              <List.Item className="breaks">
                Where:{' '}
                {[country === null ? null : regionWords(country), timeZone].filter((part) => part !== null).join(', ')}
              </List.Item>
            )}
            <List.Item>
              Reachable by: {reachable.length === 0 ? 'no known way' : reachable.map((c) => channelWords[c]).join(', ')}
            </List.Item>
            {firstTouchedAt !== null && (
              <List.Item>
                First heard of <When at={firstTouchedAt} />
              </List.Item>
            )}
            {lastEngagedAt !== null && (
              <List.Item>
                Last active <When at={lastEngagedAt} /> (such as a visit, a click or a form)
              </List.Item>
            )}
          </List>
        </Card>
        <NameCard person={person} />
      </SimpleGrid>
      <Consents person={person} />
    </>
  );
}

const SignalLink = ({ id }: { readonly id: string }) => (
  <Text component="span" size="sm">
    Signal that said so: <Id id={id} label="id of the signal" />{' '}
    <PageLink to={storyPath(id)} size="sm" aria-label={`Its story: signal ${id}`}>
      Its story
    </PageLink>
  </Text>
);

function Consents({ person: { consents, suppressions } }: { readonly person: WholePerson }) {
  return (
    <Stack gap="xs" component="section" aria-labelledby="consent">
      <Title order={2} size="h4" id="consent">
        Consent
      </Title>
      {suppressions.map(({ channel, reason, at, signalId }) => (
        <Card key={`${channel} ${reason}`} withBorder>
          <Standing tone="bad">
            No {channelWords[channel]} reaches this person, whatever they agreed to: {suppressionWords[reason]}
          </Standing>
          <Text size="sm" c="dimmed">
            Since <When at={at} />. <SignalLink id={signalId} />
          </Text>
        </Card>
      ))}
      {consents.length === 0 && (
        <Text size="sm">
          This person has agreed to nothing that we know of. What needs consent is refused until a signal says that they
          agreed.
        </Text>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {consents.map(({ purpose, channel, status, at, source, signalId, basis }) => (
          <Card key={`${purpose} ${channel}`} withBorder>
            <Text fw={600}>
              {capital(purpose)}, by {channelWords[channel]}
            </Text>
            <Standing tone={consentWords[status].tone}>{consentWords[status].words}</Standing>
            <Text size="sm" className="breaks">
              <When at={at} />, said by {source.replace(/^\/sources\//, '')}
              {basis !== null && `: “${basis}”`}
            </Text>
            <SignalLink id={signalId} />
          </Card>
        ))}
      </SimpleGrid>
    </Stack>
  );
}

interface TouchedProps {
  readonly contactId: string;
  readonly accountName: string | null | undefined;
}

function Touched({ contactId, accountName }: TouchedProps) {
  const actions = useInfiniteQuery(personActionsQuery(contactId));
  const rows = actions.data?.pages.flatMap((page) => page.actions) ?? [];
  return (
    <Stack gap="xs" component="section" aria-labelledby="touched">
      <Title order={2} size="h4" id="touched">
        What touched this person
      </Title>
      {actions.isError && <Problem error={actions.error} again={() => void actions.refetch()} />}
      {actions.isSuccess && rows.length === 0 && (
        <Empty title="No action has named this person yet">
          Every action that names this person appears here: what was done, what waits, and what was refused and why.
          Actions are listed for a year, or for as long as this installation sets; the record keeps everything.
        </Empty>
      )}
      {rows.length > 0 && (
        <LongList label="What touched this person" rows={rows} keyOf={({ actionId }) => actionId} height={150} gap={10}>
          {(action) => <Action action={action} contactId={contactId} accountName={accountName} />}
        </LongList>
      )}
      {actions.hasNextPage && (
        <Button variant="default" onClick={() => void actions.fetchNextPage()} loading={actions.isFetchingNextPage}>
          Show older ones
        </Button>
      )}
    </Stack>
  );
}

function Action({ action, contactId, accountName }: TouchedProps & { readonly action: PersonAction }) {
  const { detail, state, reasons, agent, playTitle, at, endedAt, endedBecause, proposalId } = action;
  const { tone, words } = touchWords[state];
  const plain = (text: string): string =>
    capital(withAccount(plainReason(text, new Map([[contactId, 'this person']]), time.now()), [{ accountName }]));
  return (
    <Card withBorder>
      <Group justify="space-between" align="baseline">
        <Text fw={600} className="breaks">
          {plain(detail)}
        </Text>
        <Text size="sm" c="dimmed">
          <When at={endedAt ?? at} />
        </Text>
      </Group>
      <Standing tone={tone}>{words}</Standing>
      {reasons.length > 0 && state !== 'replaced' && (
        <List size="sm">
          {reasons.map(({ rule, detail: why }) => (
            <List.Item key={rule} className="breaks">
              {plain(why)}
            </List.Item>
          ))}
        </List>
      )}
      {endedBecause !== null && (
        <Text size="sm" className="breaks">
          {plain(endedBecause)}
        </Text>
      )}
      <Group justify="space-between" mt={4}>
        <Text size="sm" c="dimmed" className="breaks">
          {agent}, for “{playTitle}”
        </Text>
        <Anchor size="sm" component={Link} to={`/stories/${proposalId}`} aria-label={`The story of: ${detail}`}>
          The story
        </Anchor>
      </Group>
    </Card>
  );
}
