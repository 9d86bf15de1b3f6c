import { Group, Skeleton, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { capital } from '../../parts/capital.js';
import { agentPath, PageLink, reviewPath, storyPath } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { Rows } from '../../parts/rows.js';
import { clock, full } from '../../parts/times.js';
import { useNow } from '../../parts/use-now.js';
import { When } from '../../parts/when.js';
import { actionRow } from '../agents/action-row.js';
import { type Run, runQuery } from './plays.queries.js';
import { StepMark, stateWords } from './step-mark.js';
import type { RunStep } from './track.js';

/** One run on the steps of its play: what is done and since when, where it stands, and the actions that came of it. */
export function RunSteps({ run, subject }: { readonly run: Run; readonly subject: string }) {
  return (
    <ol className="steps" aria-label={`Steps of the run ${subject}`}>
      {run.steps.map((step) => (
        <li key={`${step.kind} ${step.story}`} className="step" data-state={step.state}>
          <StepMark state={step.state} />
          <div>
            <Title order={3} size="h5">
              {step.title}
            </Title>
            <Text size="sm" c="dimmed">
              <Since step={step} />
            </Text>
            {step.detail !== '' && (
              <Text size="sm" className="words">
                {step.detail}
              </Text>
            )}
            <Group gap="md">
              {step.agent !== null && (
                <PageLink to={agentPath(step.agent)} size="sm">
                  {step.agent}
                </PageLink>
              )}
              {step.story !== null && step.state !== 'ahead' && (
                <PageLink to={storyPath(step.story)} size="sm" aria-label={`Its story: ${step.title}`}>
                  Its story
                </PageLink>
              )}
              {step.review !== null && (
                <PageLink to={reviewPath(step.review)} size="sm">
                  {step.state === 'waits' ? 'Answer it' : 'Its review'}
                </PageLink>
              )}
            </Group>
            {step.kind === 'proposals' && step.state !== 'ahead' && step.state !== 'ended' && (
              <Actions runId={run.runId} />
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}

/** "Done 14:05 (2 minutes ago)". */
function Since({ step: { state, at, until } }: { readonly step: RunStep }) {
  const now = useNow(15_000);
  return (
    <>
      {capital(stateWords[state])}
      {at !== null && (
        <>
          {state === 'done' || state === 'ended' || state === 'failed' ? ' ' : ' since '}
          <span title={full(at)}>{clock(at, now)}</span> (<When at={at} />)
        </>
      )}
      {until !== null && (
        <>
          , answer due <When at={until} />
        </>
      )}
    </>
  );
}

function Actions({ runId }: { readonly runId: string }) {
  const run = useQuery(runQuery(runId));
  if (run.isError) return <Problem error={run.error} again={() => void run.refetch()} />;
  if (!run.data) return <Skeleton h={120} />;
  return (
    <>
      <Rows label="Actions of this run" items={run.data.actions} keyOf={({ proposalId }) => proposalId}>
        {actionRow}
      </Rows>
      {run.data.more && (
        <Text size="sm" mt="xs">
          These are its first {run.data.actions.length} actions. The pages of its agents list the others.
        </Text>
      )}
    </>
  );
}
