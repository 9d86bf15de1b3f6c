import { Button, Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Id } from '../../parts/id.js';
import { LongList } from '../../parts/long-list.js';
import { Problem } from '../../parts/problem.js';
import { plainText } from '../../parts/reason.js';
import { Standing } from '../../parts/standing.js';
import { When } from '../../parts/when.js';
import { type PersonReveal, revealsQuery } from './people.queries.js';
import { fieldWords, purposeWords, revealWords } from './words.js';

/** Who asked who this person is, for which fields and why. It does not show what was revealed. */
export function Looked({ contactId }: { readonly contactId: string }) {
  const reveals = useInfiniteQuery(revealsQuery(contactId));
  const rows = reveals.data?.pages.flatMap((page) => page.reveals) ?? [];
  return (
    <Stack gap="xs" component="section" aria-labelledby="looked">
      <Title order={2} size="h4" id="looked">
        Who looked at the name
      </Title>
      {reveals.isError && <Problem error={reveals.error} again={() => void reveals.refetch()} />}
      {reveals.isPending && <Skeleton h={60} />}
      {reveals.isSuccess && rows.length === 0 && (
        <Text size="sm">Nobody has asked for the name or the address in the time that the console keeps.</Text>
      )}
      {rows.length > 0 && (
        // Two requests may have one id, since whoever writes them chooses it.
        <LongList
          label="Who looked at the name"
          rows={rows}
          keyOf={({ revealId }, place) => `${revealId} ${place}`}
          height={130}
          gap={10}
        >
          {(row) => <Reveal reveal={row} />}
        </LongList>
      )}
      {reveals.hasNextPage && (
        <Button variant="default" onClick={() => void reveals.fetchNextPage()} loading={reveals.isFetchingNextPage}>
          Show older ones
        </Button>
      )}
      {reveals.isSuccess && !reveals.hasNextPage && (
        <Text size="sm" c="dimmed">
          The console deletes requests after a time. The record keeps all of them.
        </Text>
      )}
    </Stack>
  );
}

function Reveal({
  reveal: { revealId, by, fields, purpose, note, at, state, reason },
}: {
  readonly reveal: PersonReveal;
}) {
  const { tone, words } = revealWords[state];
  return (
    <Card withBorder>
      <Group justify="space-between" align="baseline">
        <Text fw={600} className="breaks">
          {by}: {fields.map((field) => fieldWords[field]).join(', ')}
        </Text>
        <Text size="sm" c="dimmed">
          <When at={at} />
        </Text>
      </Group>
      <Standing tone={tone}>
        {words}
        {reason !== null && `: ${plainText(reason.detail)}`}
      </Standing>
      <Text size="sm" className="breaks">
        {purposeWords[purpose]}: “{note}”
      </Text>
      <Id id={revealId} label="id of the reveal" />
    </Card>
  );
}
