import { Alert, Button, Card, Group, List, Modal, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlertTriangle, IconCheck, IconRefresh } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Problem } from '../../parts/problem.js';
import { useSeen } from '../../parts/use-seen.js';
import { Differences } from './differences.js';
import { type Check, checkQuery, usePublish } from './policy.queries.js';

/** The configuration folder compared with the policy in force: the faults of the folder, or what publishing it would change. */
export function Folder() {
  const check = useQuery(checkQuery);
  return (
    <Card withBorder component="section" aria-labelledby="folder">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4" id="folder">
          The configuration folder
        </Title>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconRefresh size={16} aria-hidden />}
          loading={check.isFetching}
          onClick={() => void check.refetch()}
        >
          Check it again
        </Button>
      </Group>
      <Text size="sm" c="dimmed" mb="sm">
        Charters, plays, sequences, rules and routes are files in one folder on the machine on which the console runs:
        deploy/config of Countersign, or the folder that your operator chose with the setting CONFIG_DIR. Nothing in it
        holds until a person publishes it, not even after a restart.
      </Text>
      {check.isError && <Problem error={check.error} again={() => void check.refetch()} />}
      {check.data && <Found check={check.data} />}
    </Card>
  );
}

function Found({ check }: { readonly check: Check }) {
  const [asking, ask] = useDisclosure();
  const publish = usePublish();
  const seen = useSeen(check);
  const { problems, notes, warnings, digest, inForce, differences } = check;
  const published = publish.data;
  return (
    <Stack>
      {published && check.valid && !check.differs && (
        <Alert
          color="green"
          icon={<IconCheck aria-hidden />}
          role="status"
          title={`Policy ${published.version} is in force`}
        >
          {published.changed
            ? 'It is published. Each service applies it as soon as it has read it.'
            : 'Somebody had published the same folder before: nothing was changed.'}
        </Alert>
      )}
      {publish.isError && <Problem error={publish.error} />}
      {!check.valid && (
        <Alert
          color="red"
          icon={<IconAlertTriangle aria-hidden />}
          title={`The folder is not valid: ${problems.length === 1 ? '1 problem' : `${problems.length} problems`}`}
        >
          <Text size="sm">
            {inForce === 0 ? 'No policy is in force.' : `Policy ${inForce} stays in force.`} Mend these in the files,
            then check again.
          </Text>
          <Places found={problems} />
        </Alert>
      )}
      {(notes.length > 0 || warnings.length > 0) && (
        <Alert color="yellow" icon={<IconAlertTriangle aria-hidden />} title="This may be a mistake">
          <Places found={notes} />
          <List size="sm">
            {warnings.map((line) => (
              <List.Item key={line}>{line}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      {check.valid && !check.differs && (
        <Text>
          <IconCheck size={16} aria-hidden /> The folder is valid and says the same as policy {inForce}, which is in
          force. To change something, edit a file and check again.
        </Text>
      )}
      {check.valid && check.differs && digest !== null && (
        <>
          <Text fw={600}>
            {inForce === 0
              ? 'No policy is in force yet. Publishing the folder makes this the first one:'
              : `The folder is valid and differs from policy ${inForce}. Publishing it changes this:`}
          </Text>
          <Differences differences={differences} />
          <Group>
            <Button onClick={ask.open}>Publish policy {inForce + 1}</Button>
          </Group>
          {asking && (
            <Modal
              opened
              onClose={ask.close}
              title={`Publish policy ${inForce + 1}`}
              closeButtonProps={{ 'aria-label': 'Close' }}
            >
              <Stack>
                <Text>
                  {differences.length === 1 ? '1 setting changes' : `${differences.length} settings change`}, for
                  everybody, as soon as the services have read it.
                </Text>
                <List size="sm">
                  <List.Item>New proposals are judged under the new policy.</List.Item>
                  <List.Item>
                    What was approved under a part that changes, and has not run yet, does not run. It has to be
                    proposed again.
                  </List.Item>
                  <List.Item>Your name and the time stay on the record.</List.Item>
                </List>
                <Group justify="flex-end">
                  <Button variant="default" onClick={ask.close} data-autofocus>
                    Cancel
                  </Button>
                  <Button
                    loading={publish.isPending}
                    onClick={() => publish.mutate({ digest, inForce, seen }, { onSettled: ask.close })}
                  >
                    Publish it
                  </Button>
                </Group>
                {publish.isPending && (
                  <Text size="sm" role="status">
                    The order to publish is sent. Waiting for the console to check the folder again and publish it.
                  </Text>
                )}
              </Stack>
            </Modal>
          )}
        </>
      )}
    </Stack>
  );
}

const Places = ({ found }: { readonly found: Check['problems'] }) => (
  <List size="sm" mt="xs" className="words">
    {found.map(({ file, line, field, detail }) => (
      <List.Item key={`${file} ${line} ${field} ${detail}`}>
        <strong>
          {file}
          {line === undefined ? '' : `, line ${line}`}
        </strong>
        {field === '' ? '' : ` (${field})`}: {detail}
      </List.Item>
    ))}
  </List>
);
