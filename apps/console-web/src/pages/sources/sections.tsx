import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { Link, useRouterState } from '@tanstack/react-router';
import type { ReactNode } from 'react';

const sections = [
  { to: '/sources', label: 'Sources' },
  { to: '/sources/rejected', label: 'Rejected signals' },
  { to: '/sources/dead-letters', label: 'Dead letters' },
] as const;

/** The common part of the three pages about incoming signals. */
export function Section({
  title,
  about,
  children,
}: {
  readonly title: string;
  readonly about: string;
  readonly children: ReactNode;
}) {
  const path = useRouterState({ select: (state) => state.location.pathname });
  return (
    <Stack>
      <title>{`${title} · Countersign`}</title>
      <div>
        <Title order={1} size="h2">
          {title}
        </Title>
        <Text c="dimmed">{about}</Text>
      </div>
      <Group component="nav" aria-label="What comes in" gap="xs">
        {sections.map(({ to, label }) => (
          <Button
            key={to}
            component={Link}
            to={to}
            size="xs"
            variant={path === to ? 'filled' : 'default'}
            aria-current={path === to ? 'page' : undefined}
          >
            {label}
          </Button>
        ))}
      </Group>
      {children}
    </Stack>
  );
}
