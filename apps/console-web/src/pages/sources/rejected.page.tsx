import { Button, Card, Group, Select, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Empty } from '../../parts/empty.js';
import { Id } from '../../parts/id.js';
import { LongList } from '../../parts/long-list.js';
import { Problem } from '../../parts/problem.js';
import { plainText } from '../../parts/reason.js';
import { When } from '../../parts/when.js';
import { Section } from './sections.js';
import { type RejectedFilter, type RejectedSignal, rejectedQuery, sourcesQuery } from './sources.queries.js';

/** Signals that were rejected: why, and what to change in their source. */
export function RejectedPage() {
  const filter = useSearch({ from: '/signed-in/sources/rejected' });
  const navigate = useNavigate();
  const rejected = useInfiniteQuery(rejectedQuery(filter));
  const sources = useQuery(sourcesQuery);
  const choose = (name: keyof RejectedFilter, value: string | null) => {
    const { [name]: _, ...others } = filter;
    void navigate({ to: '/sources/rejected', search: value === null ? others : { ...others, [name]: value } });
  };
  const rows = rejected.data?.pages.flatMap((page) => page.rejected) ?? [];
  const reasons = new Map(
    [...(sources.data ?? []).flatMap(({ rejectedBy }) => rejectedBy), ...rows].map(({ code, title }) => [code, title]),
  );
  const names = new Set([...(sources.data ?? []).map(({ name }) => name), ...(filter.source ? [filter.source] : [])]);
  if (filter.code && !reasons.has(filter.code)) reasons.set(filter.code, filter.code);
  return (
    <Section
      title="Rejected signals"
      about="A rejected signal changes nothing and starts nothing. Here is why, and what to change. Signals of the last 7 days; the record keeps all."
    >
      <Group align="flex-end">
        <Select
          label="Source"
          placeholder="All sources"
          data={[...names]}
          value={filter.source ?? null}
          onChange={(source) => choose('source', source)}
          clearable
          clearButtonProps={{ 'aria-label': 'All sources' }}
        />
        <Select
          label="Reason"
          w={340}
          maw="100%"
          placeholder="All reasons"
          data={[...reasons].map(([value, label]) => ({ value, label }))}
          value={filter.code ?? null}
          onChange={(code) => choose('code', code)}
          clearable
          clearButtonProps={{ 'aria-label': 'All reasons' }}
        />
      </Group>
      {sources.isError && !rejected.isError && <Problem error={sources.error} again={() => void sources.refetch()} />}
      {rejected.isError && <Problem error={rejected.error} again={() => void rejected.refetch()} />}
      {rejected.isPending && [1, 2, 3].map((n) => <Skeleton key={n} h={190} />)}
      {rejected.isSuccess && rows.length === 0 && (
        <Empty title={filter.source || filter.code ? 'No rejected signal fits these filters' : 'Nothing was rejected'}>
          {filter.source || filter.code
            ? 'Take one away to see the others.'
            : 'A signal that breaks its contract, comes twice or is dated in the future appears here, with what to change.'}
        </Empty>
      )}
      {rows.length > 0 && (
        <LongList label="Rejected signals" rows={rows} keyOf={({ id }) => id} height={200}>
          {(signal) => <Rejected signal={signal} />}
        </LongList>
      )}
      {rejected.hasNextPage && (
        <Button variant="default" onClick={() => void rejected.fetchNextPage()} loading={rejected.isFetchingNextPage}>
          Show older ones
        </Button>
      )}
    </Section>
  );
}

function Rejected({ signal }: { readonly signal: RejectedSignal }) {
  const { title, change, reasons, source, type, at, signalId, topic, partition, offset } = signal;
  return (
    <Card withBorder>
      <Stack gap="xs">
        <Group justify="space-between" align="baseline">
          <Title order={2} size="h5">
            {title}
          </Title>
          <Text size="sm" c="dimmed">
            <When at={at} />
          </Text>
        </Group>
        <Text size="sm">
          {type === null ? 'A signal' : <b className="breaks">{type}</b>} from {source}
          {signalId !== null && (
            <>
              {' '}
              <Id id={signalId} label="id of the signal" />
            </>
          )}
        </Text>
        {reasons.map(({ code, detail, field }) => (
          <Text key={`${code} ${field} ${detail}`} size="sm" className="breaks">
            {field === undefined ? '' : 'Where it is wrong: '}
            {plainText(detail)}
          </Text>
        ))}
        <Text size="sm">
          <b>What to change: </b>
          {change}
        </Text>
        <Text size="sm" className="breaks">
          <b>Who has to change it: </b>
          the team whose system sends signals as “{source}”. Send them this card: its words are for their developers.
        </Text>
        <Text size="xs" c="dimmed" className="breaks">
          {topic}, partition {partition}, offset {offset}
        </Text>
      </Stack>
    </Card>
  );
}
