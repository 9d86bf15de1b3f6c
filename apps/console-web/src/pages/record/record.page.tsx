import { Alert, Button, Skeleton, Stack, Table, Text, Title } from '@mantine/core';
import { IconShieldX } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Empty } from '../../parts/empty.js';
import { Id } from '../../parts/id.js';
import { Problem } from '../../parts/problem.js';
import { full } from '../../parts/times.js';
import { When } from '../../parts/when.js';
import { Commands } from './commands.js';
import { Inspections } from './inspections.js';
import { Passes } from './passes.js';
import { checkpointsQuery, recordQuery } from './record.queries.js';
import { twinsIn } from './spread.js';
import { Verify } from './verify.js';
import { Whole } from './whole.js';
import '../stories/stories.css';

const number = new Intl.NumberFormat();
const shown = 20;

/** Each row has a fixed height, whichever checkpoint it shows. So nothing moves when another checkpoint arrives. */
const places = Array.from({ length: shown }, (_, place) => place);

/** The log that nobody can change unnoticed: its signed heads, and how to check it. */
export function RecordPage() {
  const record = useQuery(recordQuery);
  const seen = useInfiniteQuery(checkpointsQuery);
  const checkpoints = seen.data?.pages.flatMap((page) => page.checkpoints) ?? [];
  const twins = twinsIn(checkpoints);
  const latest = record.data?.latest ?? null;
  // All parts appear at the same time, so that none moves another down.
  if (record.isPending || seen.isPending)
    return (
      <Stack>
        <Head />
        <Skeleton h={1200} />
      </Stack>
    );
  return (
    <Stack>
      <Head />
      {record.isError && <Problem error={record.error} again={() => void record.refetch()} />}
      {record.data && (
        <dl className="fact-pairs">
          <div>
            <dt>latest checkpoint</dt>
            <dd>
              {latest === null ? (
                'none seen yet'
              ) : (
                <span title={full(latest.at)}>
                  {number.format(latest.size)} entries, <When at={latest.at} />
                </span>
              )}
            </dd>
          </div>
          <div>
            <dt>name of the record</dt>
            <dd>{latest?.origin ?? 'not known yet'}</dd>
          </div>
          <div>
            <dt>key that signs it</dt>
            <dd>{record.data.key === null ? 'not set (RECORD_KEY_FILE)' : <Id id={record.data.key} label="key" />}</dd>
          </div>
          <div>
            <dt>address for proofs</dt>
            <dd>{record.data.url ?? 'not set (RECORD_URL)'}</dd>
          </div>
        </dl>
      )}
      {twins.length > 0 && (
        <Alert
          className="plain-alert"
          color="red"
          icon={<IconShieldX aria-hidden />}
          title="Two different checkpoints of the record"
          role="alert"
        >
          Two checkpoints of the same size sign different entries: at{' '}
          {twins.map((size) => number.format(size)).join(', ')} entries. Keep both, stop what depends on the record, and
          tell an auditor.
        </Alert>
      )}
      {record.data && latest !== null && <Verify record={record.data} checkpoints={checkpoints} />}
      {record.data && latest !== null && <Whole record={record.data} checkpoints={checkpoints} />}
      <Passes />
      <Inspections />
      <Commands origin={latest?.origin} />
      <Title order={2} size="h4">
        Checkpoints
      </Title>
      {seen.isError && <Problem error={seen.error} again={() => void seen.refetch()} />}
      {seen.data && checkpoints.length === 0 && (
        <Empty title="No checkpoints yet">
          The first one appears here about two seconds after the first event. With the sample, <code>npm start</code>{' '}
          makes some.
        </Empty>
      )}
      {checkpoints.length > 0 && (
        <>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th className="numbers">Entries</Table.Th>
                <Table.Th>Signed</Table.Th>
                <Table.Th>Hash</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {checkpoints.slice(0, shown).map(({ size, root, at }, place) => (
                <Table.Tr key={places[place]}>
                  <Table.Td className="numbers">{number.format(size)}</Table.Td>
                  <Table.Td>
                    <When at={at} />
                  </Table.Td>
                  <Table.Td>
                    <Id id={root} label="hash" />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          <Text size="sm" c="dimmed">
            {checkpoints.length > shown
              ? `The latest ${shown} of ${checkpoints.length} that are loaded for the check above.`
              : 'These are all that the console has seen in 30 days.'}
          </Text>
          {seen.hasNextPage && (
            <Button variant="light" loading={seen.isFetchingNextPage} onClick={() => void seen.fetchNextPage()}>
              Load older checkpoints for the check
            </Button>
          )}
        </>
      )}
    </Stack>
  );
}

const Head = () => (
  <>
    <title>Record · Countersign</title>
    <Title order={1} size="h2">
      Record
    </Title>
    <Text c="dimmed">
      Everything that happens is appended to a log. Every two seconds in which it grew, the log signs a checkpoint: how
      many entries it has, and one hash over all of them. Whoever keeps a checkpoint notices any later change of what it
      covers. This console keeps every checkpoint that it sees for 30 days.
    </Text>
  </>
);
