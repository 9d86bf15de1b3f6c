import { Alert, Button, Group, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { ApiProblem } from '../app/api.js';
import { problemText } from './problem-text.js';

/** What went wrong and what to do, from the problem document. If another try can help, it has a button for it. */
export function Problem({ error, again }: { readonly error: unknown; readonly again?: () => void }) {
  const problem = error instanceof ApiProblem ? error : undefined;
  // For a failed reading. If the session is over, the frame says so once and offers the way to sign in again, and another try
  // cannot help.
  if (again && problem?.status === 401) return null;
  return (
    <Alert
      color="red"
      icon={<IconAlertTriangle aria-hidden />}
      title={problem?.title ?? 'This page failed'}
      role="alert"
    >
      <Text size="sm">{problemText(error)}</Text>
      <Group mt="xs" justify="space-between">
        {again && (
          <Button size="xs" variant="light" color="red" onClick={again}>
            Ask again
          </Button>
        )}
        {problem?.requestId !== undefined && (
          <Text size="xs" c="dimmed">
            Request {problem.requestId}
          </Text>
        )}
      </Group>
    </Alert>
  );
}

/** For the router: a page that could not be shown at all. */
export const Failed = ({ error, reset }: { readonly error: unknown; readonly reset?: () => void }) => (
  <Problem error={error} {...(reset && { again: reset })} />
);
