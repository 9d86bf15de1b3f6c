import { Badge, Button, Collapse, Group, List, Skeleton, Text } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconClock, IconPlayerPlay, IconX, type TablerIcon } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Id } from '../../parts/id.js';
import { PageLink, reviewPath, storyPath } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { Rows } from '../../parts/rows.js';
import { useOpen } from '../../parts/use-open.js';
import { When } from '../../parts/when.js';
import { ActionRow } from '../agents/action-row.js';
import { type Run, runQuery } from './plays.queries.js';

const states: Readonly<Record<Run['state'], readonly [string, string, TablerIcon]>> = {
  waiting: ['waits for a person', 'orange', IconClock],
  'not-agreed': ['nobody agreed, no task went out', 'gray', IconX],
  running: ['under way', 'blue', IconPlayerPlay],
  overdue: ['an agent has not answered in time', 'red', IconAlertTriangle],
  answered: ['every agent has answered', 'green', IconCheck],
};

/** One run: its subject, its state, its tasks, and on demand the actions that resulted from it. */
export function RunRow({ run }: { readonly run: Run }) {
  const [open, toggle] = useOpen(run.runId);
  const [word, color, Icon] = states[run.state];
  const asked = run.state === 'waiting' ? 'Answer it' : 'Its review';
  const proposals = run.tasks.reduce((sum, task) => sum + task.proposals, 0);
  return (
    <>
      <Group justify="space-between" gap="xs">
        <Badge color={color} variant="light" tt="none" leftSection={<Icon size={12} aria-hidden />}>
          {word}
        </Badge>
        <Text size="sm" c="dimmed">
          started <When at={run.startedAt} />
        </Text>
      </Group>
      <Text mt={4} className="words">
        {subject(run)}
      </Text>
      {run.checkpoint && run.state === 'waiting' && (
        <Text size="sm">
          Without an answer no task goes out. The time ends <When at={run.checkpoint.deadline} />.
        </Text>
      )}
      {run.tasks.length > 0 && (
        <List size="sm" mt={4}>
          {run.tasks.map((task) => (
            <List.Item key={task.taskId} className="words">
              {task.agent}: {task.purpose}. {answerOf(task)}
            </List.Item>
          ))}
        </List>
      )}
      <Group gap="md" mt={4}>
        <PageLink to={storyPath(run.correlationId)} size="sm" aria-label={`Its story: ${subject(run)}`}>
          Its story
        </PageLink>
        {run.checkpoint && (
          <PageLink to={reviewPath(run.checkpoint.id)} size="sm" aria-label={`${asked}: ${subject(run)}`}>
            {asked}
          </PageLink>
        )}
        {proposals > 0 && (
          <Button variant="default" size="compact-sm" onClick={toggle} aria-expanded={open}>
            {open ? 'Hide' : 'Show'} {proposals === 1 ? 'its proposal' : `its ${proposals} proposals`}
          </Button>
        )}
        <Id id={run.runId} label="id of the run" />
      </Group>
      <Collapse expanded={open}>{open && <Actions runId={run.runId} />}</Collapse>
    </>
  );
}

function Actions({ runId }: { readonly runId: string }) {
  const run = useQuery(runQuery(runId));
  if (run.isError) return <Problem error={run.error} again={() => void run.refetch()} />;
  if (!run.data) return <Skeleton h={120} />;
  return (
    <div className="nested">
      <Rows label="Actions of this run" items={run.data.actions} keyOf={({ proposalId }) => proposalId}>
        {(action) => <ActionRow action={action} />}
      </Rows>
    </div>
  );
}

function subject({ subject: { kind, id } }: Run): string {
  switch (kind) {
    case 'account':
      return `For the account ${id}`;
    case 'campaign':
      return `For the campaign ${id}`;
    case 'ad-account':
      return `For the ad account ${id}`;
    case 'none':
      return 'For nobody in particular';
  }
}

function answerOf({ outcome, proposals, reason }: Run['tasks'][number]) {
  if (outcome === null) return 'No answer yet.';
  if (outcome === 'proposed') return `It proposed ${proposals === 1 ? '1 action' : `${proposals} actions`}.`;
  return `It declined: ${reason ?? 'without a reason'}`;
}
