import { Card, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMay } from '../../app/session.js';
import { Folder } from './folder.js';
import { checkQuery, versionsQuery } from './policy.queries.js';
import { Versions } from './versions.js';

/** Which policies there were, what the folder would change, and the way to publish it. */
export function PolicyPage() {
  const mayPublish = useMay('policy-owner');
  const check = useQuery({ ...checkQuery, enabled: mayPublish });
  const versions = useInfiniteQuery(versionsQuery);
  // How long the first part is, nobody knows before it is there: so the parts come together, and none pushes another down.
  const coming = (mayPublish && check.isPending) || versions.isPending;
  return (
    <Stack>
      <title>Policy · Countersign</title>
      <Title order={1} size="h2">
        Policy
      </Title>
      <Text c="dimmed">
        The policy is what everything is judged by: the charters of the agents, the plays, the sequences of messages,
        the rules and the routes.
      </Text>
      {coming ? (
        <Skeleton h={520} />
      ) : (
        <>
          {mayPublish ? (
            <Folder />
          ) : (
            <Card withBorder>
              <Text size="sm">
                Checking and publishing the configuration folder needs the role policy owner, which you do not have.
                Below is what was published.
              </Text>
            </Card>
          )}
          <Versions />
        </>
      )}
    </Stack>
  );
}
