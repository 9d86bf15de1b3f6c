import { Card, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useMay } from '../../app/session.js';
import { Content, contentHeading, isComing } from './content.js';
import { Folder } from './folder.js';
import { checkQuery, versionQuery, versionsQuery } from './policy.queries.js';
import { Versions } from './versions.js';

/** The policies that were published, what the folder would change, and the button that publishes it. */
export function PolicyPage() {
  const mayPublish = useMay('policy-owner');
  const check = useQuery({ ...checkQuery, enabled: mayPublish });
  const versions = useInfiniteQuery(versionsQuery);
  const [chosen, setChosen] = useState<number>();
  const all = versions.data?.pages.flatMap((page) => page.versions) ?? [];
  const inForce = versions.data?.pages[0]?.inForce ?? null;
  const version = chosen ?? inForce ?? all[0]?.version ?? null;
  const content = useQuery(versionQuery(version));
  const show = (next: number) => {
    setChosen(next);
    document.getElementById(contentHeading)?.focus();
  };
  // The height of the first part is unknown until its data is there. So all parts appear at the same time, and none moves another
  // down.
  const coming = (mayPublish && check.isPending) || versions.isPending || isComing(content);
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
          {version !== null && <Content version={version} inForce={inForce} all={all} onChoose={setChosen} />}
          <Versions onShow={show} />
        </>
      )}
    </Stack>
  );
}
