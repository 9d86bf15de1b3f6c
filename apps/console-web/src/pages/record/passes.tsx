import { Button, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { LongList } from '../../parts/long-list.js';
import { Problem } from '../../parts/problem.js';
import { When } from '../../parts/when.js';
import { passesQuery } from './record.queries.js';

const words = { verify: 'to verify it', export: 'to export it' } as const;

/** Who asked to read the whole record, and why. */
export function Passes() {
  const passes = useInfiniteQuery(passesQuery);
  const rows = passes.data?.pages.flatMap((page) => page.passes) ?? [];
  return (
    <Stack gap="xs" component="section" aria-labelledby="who-read">
      <Title order={2} size="h4" id="who-read">
        Who asked to read the whole record
      </Title>
      {passes.isError && <Problem error={passes.error} again={() => void passes.refetch()} />}
      {passes.isSuccess && rows.length === 0 && (
        <Text size="sm">
          Nobody has asked here in the time that the console keeps. A download with an auditor’s own token is not in
          this list.
        </Text>
      )}
      {rows.length > 0 && (
        <LongList label="Who asked to read the whole record" rows={rows} keyOf={({ passId }) => passId} height={22}>
          {({ use, purpose, by, at }) => (
            <Text size="sm" className="breaks">
              <b>{by}</b>, {words[use]}, <When at={at} />: “{purpose}”
            </Text>
          )}
        </LongList>
      )}
      {passes.hasNextPage && (
        <Button variant="default" loading={passes.isFetchingNextPage} onClick={() => void passes.fetchNextPage()}>
          Show older ones
        </Button>
      )}
      {rows.length > 0 && !passes.hasNextPage && (
        <Text size="sm" c="dimmed">
          The console deletes requests after a time. The record keeps all of them.
        </Text>
      )}
    </Stack>
  );
}
