import { ActionIcon, Card, Code, CopyButton, Group, Stack, Text, Title } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** One step of a guide. */
export const Step = ({
  n,
  title,
  children,
}: {
  readonly n: number;
  readonly title: string;
  readonly children: ReactNode;
}) => (
  <Card withBorder component="section" aria-label={`Step ${n}: ${title}`} padding="md">
    <Stack gap="sm">
      <Title order={2} size="h4">
        {n}. {title}
      </Title>
      {children}
    </Stack>
  </Card>
);

/** A command: the one that does the same as the page, or the one that `about` describes. */
export const Command = ({
  text,
  about = 'The same from the command line:',
}: {
  readonly text: string;
  readonly about?: string;
}) => (
  <div>
    <Text size="sm" c="dimmed">
      {about}
    </Text>
    <Group gap={4} wrap="nowrap" align="flex-start">
      <Code block className="breaks command">
        {text}
      </Code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            onClick={copy}
            aria-label={copied ? 'Copied' : 'Copy the command'}
          >
            {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
          </ActionIcon>
        )}
      </CopyButton>
    </Group>
  </div>
);

/** For a person who lacks the role for an act. */
export const NeedsRole = ({ holder, act }: { readonly holder: string; readonly act: string }) => (
  <Text size="sm">
    Only {holder} can {act}. Ask somebody who has this role; the steps stay the same.
  </Text>
);
