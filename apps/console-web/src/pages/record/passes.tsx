import { Button, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
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
        <Text size="sm">Nobody has asked here. A download with an auditor’s own token is not in this list.</Text>
      )}
      <ul className="command-list">
        {rows.map(({ passId, use, purpose, by, at }) => (
          <li key={passId} className="breaks">
            <Text size="sm">
              <b>{by}</b>, {words[use]}, <When at={at} />: “{purpose}”
            </Text>
          </li>
        ))}
      </ul>
      {passes.hasNextPage && (
        <Button variant="default" loading={passes.isFetchingNextPage} onClick={() => void passes.fetchNextPage()}>
          Show older ones
        </Button>
      )}
    </Stack>
  );
}
