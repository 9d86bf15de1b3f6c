import { Card, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMay } from '../../app/session.js';
import { Folder } from './folder.js';
import { checkQuery, versionsQuery } from './policy.queries.js';
import { Versions } from './versions.js';

/** The policies that were published, what the folder would change, and the button that publishes it. */
export function PolicyPage() {
  const mayPublish = useMay('policy-owner');
  const check = useQuery({ ...checkQuery, enabled: mayPublish });
  const versions = useInfiniteQuery(versionsQuery);
  // The height of the first part is unknown until its data is there. So all parts appear at the same time, and none moves another
  // down.
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
