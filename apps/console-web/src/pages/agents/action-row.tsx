import { Badge, Group, Text } from '@mantine/core';
import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconCheck,
  IconClock,
  IconHourglass,
  IconSend,
  IconX,
  type TablerIcon,
} from '@tabler/icons-react';
import { capital } from '../../parts/capital.js';
import { Id } from '../../parts/id.js';
import { PageLink, reviewPath, storyPath } from '../../parts/page-link.js';
import { plainReason, withoutContacts } from '../../parts/reason.js';
import { useNow } from '../../parts/use-now.js';
import { When } from '../../parts/when.js';
import type { Proposed } from './agents.queries.js';

const states: Readonly<Record<Proposed['state'], readonly [string, string, TablerIcon]>> = {
  proposed: ['not judged yet', 'gray', IconHourglass],
  waiting: ['waits for a person', 'orange', IconClock],
  approved: ['approved, not run yet', 'blue', IconSend],
  refused: ['refused', 'red', IconX],
  executed: ['done', 'green', IconCheck],
  failed: ['failed', 'red', IconAlertTriangle],
  expired: ['expired, not run', 'gray', IconX],
  unresolved: ['nobody knows whether it ran', 'orange', IconAlertTriangle],
  undone: ['undone', 'gray', IconArrowBackUp],
};

const plain = (text: string, now: number): string => plainReason(withoutContacts(text), new Map(), now);

/** One action: what it does, its outcome with the reason, and a link to its story. */
export function ActionRow({ action }: { readonly action: Proposed }) {
  const [word, color, Icon] = states[action.state];
  const now = useNow(60_000);
  const detail = plain(action.detail, now);
  const asked = action.state === 'waiting' ? 'Answer it' : 'Its review';
  return (
    <>
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Badge color={color} variant="light" tt="none" leftSection={<Icon size={12} aria-hidden />}>
            {word}
          </Badge>
          {action.edited && (
            <Badge color="grape" variant="light" tt="none">
              changed by a person
            </Badge>
          )}
        </Group>
        <Text size="sm" c="dimmed">
          <When at={action.at} />
        </Text>
      </Group>
      <Text mt={4} className="words">
        {capital(detail)}
      </Text>
      {action.reason !== null && (
        <Text size="sm" c="dimmed" className="words">
          {capital(plain(action.reason, now))}
        </Text>
      )}
      <Group gap="md" mt={4}>
        <PageLink to={storyPath(action.proposalId)} size="sm" aria-label={`Its story: ${detail}`}>
          Its story
        </PageLink>
        {action.asked && (
          <PageLink to={reviewPath(action.proposalId)} size="sm" aria-label={`${asked}: ${detail}`}>
            {asked}
          </PageLink>
        )}
        <Id id={action.proposalId} label="id of the proposal" />
      </Group>
    </>
  );
}
