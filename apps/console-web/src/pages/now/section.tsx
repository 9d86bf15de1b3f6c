import { Group, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';

/** A part of the page under a heading, with one sentence that explains it. */
export function Section({ title, explained, aside, children }: SectionProps) {
  const id = useId();
  return (
    <Stack component="section" gap="sm" aria-labelledby={id}>
      <Group justify="space-between" align="baseline">
        <Title order={2} size="h4" id={id}>
          {title}
        </Title>
        {aside}
      </Group>
      {explained !== undefined && (
        <Text size="sm" c="dimmed">
          {explained}
        </Text>
      )}
      {children}
    </Stack>
  );
}

interface SectionProps {
  readonly title: string;
  readonly explained?: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}
