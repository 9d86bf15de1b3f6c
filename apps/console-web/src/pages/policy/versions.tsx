import { Badge, Button, Card, Group, Select, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Empty } from '../../parts/empty.js';
import { Id } from '../../parts/id.js';
import { Problem } from '../../parts/problem.js';
import { Rows } from '../../parts/rows.js';
import { When } from '../../parts/when.js';
import { Differences } from './differences.js';
import { differencesQuery, type Version, versionsQuery } from './policy.queries.js';

/** Every policy that was published, by whom and when, and the differences between two of them. */
export function Versions({ onShow }: { readonly onShow: (version: number) => void }) {
  const versions = useInfiniteQuery(versionsQuery);
  const [compared, setCompared] = useState<{ from?: number; to?: number }>({});
  const all = versions.data?.pages.flatMap((page) => page.versions) ?? [];
  const inForce = versions.data?.pages[0]?.inForce ?? null;
  const to = compared.to ?? all[0]?.version;
  // Some versions may not be listed: one that the console never stored, or one behind the part that is loaded.
  const earlier = new Map(all.map(({ version }, n) => [version, all[n + 1]?.version]));
  const compare = async (version: number) => {
    const more = async () => (await versions.fetchNextPage()).data?.pages.flatMap((page) => page.versions) ?? [];
    const before = earlier.get(version) ?? (await more()).find((listed) => listed.version < version)?.version;
    if (before !== undefined) setCompared({ from: before, to: version });
  };
  const from = compared.from ?? all.find(({ version }) => to !== undefined && version < to)?.version;
  return (
    <>
      <Card withBorder component="section" aria-labelledby="versions">
        <Title order={2} size="h4" id="versions">
          Versions
        </Title>
        {versions.isError && <Problem error={versions.error} again={() => void versions.refetch()} />}
        {versions.data && all.length === 0 && (
          <Empty title="No policy has been published">
            Until there is one, everything is refused. Check the folder above and publish it.
          </Empty>
        )}
        <Rows label="Versions" items={all} keyOf={({ version }) => String(version)}>
          {(version) => (
            <VersionRow
              version={version}
              inForce={version.version === inForce}
              show={() => onShow(version.version)}
              {...((earlier.get(version.version) !== undefined || versions.hasNextPage) && {
                compare: () => void compare(version.version),
              })}
            />
          )}
        </Rows>
        {versions.hasNextPage && (
          <Button
            variant="default"
            mt="sm"
            loading={versions.isFetchingNextPage}
            onClick={() => void versions.fetchNextPage()}
          >
            Show older ones
          </Button>
        )}
      </Card>
      {all.length > 1 && from !== undefined && to !== undefined && (
        <Compared all={all} from={from} to={to} choose={setCompared} />
      )}
    </>
  );
}

interface RowProps {
  readonly version: Version;
  readonly inForce: boolean;
  readonly show: () => void;
  readonly compare?: () => void;
}

const VersionRow = ({ version: { version, by, publishedAt, digest }, inForce, show, compare }: RowProps) => (
  <Group justify="space-between" gap="xs">
    <Group gap="xs">
      <Text fw={600}>Policy {version}</Text>
      {inForce && (
        <Badge color="green" variant="light" leftSection={<IconCheck size={12} aria-hidden />}>
          In force
        </Badge>
      )}
      <Text size="sm" c="dimmed">
        {by === 'console' ? 'published by the first start' : `published by ${by}`}, <When at={publishedAt} />
      </Text>
    </Group>
    <Group gap="xs">
      <Button variant="default" size="compact-sm" onClick={show} aria-label={`Read it: policy ${version}`}>
        Read it
      </Button>
      {compare && (
        <Button variant="default" size="compact-sm" onClick={compare} aria-label={`What it changed: policy ${version}`}>
          What it changed
        </Button>
      )}
      <Id id={digest} label={`digest of policy ${version}`} />
    </Group>
  </Group>
);

interface ComparedProps {
  readonly all: readonly Version[];
  readonly from: number;
  readonly to: number;
  readonly choose: (compared: { from: number; to: number }) => void;
}

function Compared({ all, from, to, choose }: ComparedProps) {
  const found = useQuery(differencesQuery(from, to));
  const choices = [...new Set([...all.map(({ version }) => version), from, to])]
    .sort((a, b) => b - a)
    .map((version) => ({ value: String(version), label: `Policy ${version}` }));
  return (
    <Card withBorder component="section" aria-labelledby="compared">
      <Title order={2} size="h4" id="compared">
        What changed from policy {from} to policy {to}
      </Title>
      <Stack mt="sm">
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Select
            label="From"
            data={choices}
            value={String(from)}
            allowDeselect={false}
            onChange={(value) => choose({ from: Number(value), to })}
          />
          <Select
            label="To"
            data={choices}
            value={String(to)}
            allowDeselect={false}
            onChange={(value) => choose({ from, to: Number(value) })}
          />
        </SimpleGrid>
        {found.isError && <Problem error={found.error} again={() => void found.refetch()} />}
        {found.isPending && <Skeleton h={120} />}
        {found.data &&
          (found.data.differences.length === 0 ? (
            <Text>The two versions say the same.</Text>
          ) : (
            <Differences differences={found.data.differences} />
          ))}
      </Stack>
    </Card>
  );
}
