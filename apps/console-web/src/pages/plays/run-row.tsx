import { Badge, Button } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCheck,
  IconClock,
  IconPlayerPlay,
  IconPlayerStop,
  IconX,
  type TablerIcon,
} from '@tabler/icons-react';
import { capital } from '../../parts/capital.js';
import { Id } from '../../parts/id.js';
import { PageLink, reviewPath, storyPath } from '../../parts/page-link.js';
import { useOpen } from '../../parts/use-open.js';
import { When } from '../../parts/when.js';
import type { Run } from './plays.queries.js';
import { RunSteps } from './run-steps.js';
import { StepMark, stateWords } from './step-mark.js';
import { currentSteps, trackOf } from './track.js';

const states: Readonly<Record<Run['state'], readonly [string, string, TablerIcon]>> = {
  waiting: ['waits for a person', 'orange', IconClock],
  'not-agreed': ['no task went out', 'gray', IconPlayerStop],
  running: ['under way', 'blue', IconPlayerPlay],
  overdue: ['an answer is overdue', 'red', IconAlertTriangle],
  failed: ['something failed', 'red', IconX],
  ended: ['ended', 'gray', IconCheck],
};

/** One run: its subject, where it stands on its steps, and on demand each step with its time and its actions. */
export const runRow = (run: Run) => <RunRow run={run} />;

function RunRow({ run }: { readonly run: Run }) {
  const [open, toggle] = useOpen(run.runId);
  const [word, color, Icon] = states[run.state];
  const subject = subjectOf(run);
  const waits = run.steps.find(({ kind, state }) => kind === 'checkpoint' && state === 'waits');
  return (
    <>
      <div className="row-line apart">
        <Badge color={color} variant="light" tt="none" leftSection={<Icon size={12} aria-hidden />}>
          {word}
        </Badge>
        <p className="row-note">
          started <When at={run.startedAt} />
        </p>
      </div>
      <p className="row-text words">{capital(subject)}</p>
      <ol className="run-track" aria-label={`Where the run ${subject} stands`}>
        {trackOf(run.steps).map(({ name, state }) => (
          <li key={name} data-state={state}>
            <StepMark state={state} small />
            <span className="mark-name">{name}</span>
            <span className="mark-state">{stateWords[state]}</span>
          </li>
        ))}
      </ol>
      {currentSteps(run.steps).map((step) => (
        <p key={`${step.kind} ${step.story}`} className="row-note full words">
          {step.kind === 'proposals' && step.state !== 'ended' && 'Proposals: '}
          {step.detail}
          {step.until !== null && (
            <>
              {' '}
              The time ends <When at={step.until} />.
            </>
          )}
        </p>
      ))}
      <div className="row-line row-links">
        <Button
          variant="default"
          size="compact-sm"
          onClick={toggle}
          aria-expanded={open}
          aria-label={`${open ? 'Hide' : 'Show'} the steps ${subject}`}
        >
          {open ? 'Hide' : 'Show'} the steps
        </Button>
        {waits?.review && (
          <PageLink to={reviewPath(waits.review)} size="sm" aria-label={`Answer it: ${subject}`}>
            Answer it
          </PageLink>
        )}
        <PageLink to={storyPath(run.correlationId)} size="sm" aria-label={`Its story: ${subject}`}>
          Its story
        </PageLink>
        <Id id={run.runId} label="id of the run" />
      </div>
      {open && (
        <div className="nested opened">
          <RunSteps run={run} subject={subject} />
        </div>
      )}
    </>
  );
}

function subjectOf({ subject: { kind, id, name } }: Run): string {
  switch (kind) {
    case 'account':
      return `for the account ${name ?? id}`;
    case 'campaign':
      return `for the campaign ${name ?? id}`;
    case 'ad-account':
      return `for the ad account ${id}`;
    case 'none':
      return 'for nobody in particular';
  }
}
