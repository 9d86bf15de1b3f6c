import { Text, Title } from '@mantine/core';
import { IconBolt, IconChecklist, IconHourglass, IconUserCheck, type TablerIcon } from '@tabler/icons-react';
import { agentPath, PageLink } from '../../parts/page-link.js';
import type { PlayPage } from './plays.queries.js';

type Step = PlayPage['steps'][number];

const icons: Readonly<Record<Step['kind'], TablerIcon>> = {
  trigger: IconBolt,
  'cool-down': IconHourglass,
  checkpoint: IconUserCheck,
  task: IconChecklist,
};

/** A play as steps on one line, which a screen reader reads as a list. Its tasks are assigned at the same time. */
export function Steps({ steps }: { readonly steps: readonly Step[] }) {
  const tasks = steps.filter(({ kind }) => kind === 'task');
  const before = steps.filter(({ kind }) => kind !== 'task');
  return (
    <ol className="steps">
      {before.map((step) => (
        <li key={step.kind} className="step">
          <Mark kind={step.kind} />
          <div>
            <Title order={3} size="h5">
              {step.title}
            </Title>
            <Lines step={step} />
          </div>
        </li>
      ))}
      <li className="step">
        <Mark kind="task" />
        <div>
          <Title order={3} size="h5">
            {tasks.length === 1 ? 'It gives a task' : `It gives ${tasks.length} tasks at the same time`}
          </Title>
          <ul className="branches">
            {tasks.map((step) => (
              <li key={`${step.agent} ${step.title}`} className="branch">
                <Text fw={600} size="sm">
                  {step.title}
                </Text>
                {step.agent !== undefined && (
                  <PageLink to={agentPath(step.agent)} size="sm">
                    {step.agent}
                  </PageLink>
                )}
                <Lines step={step} />
              </li>
            ))}
          </ul>
        </div>
      </li>
    </ol>
  );
}

const Lines = ({ step }: { readonly step: Step }) => (
  <>
    {step.lines.map((line) => (
      <Text key={line} size="sm" className="words">
        {line}
      </Text>
    ))}
  </>
);

function Mark({ kind }: { readonly kind: Step['kind'] }) {
  const Icon = icons[kind];
  return (
    <span className="step-mark">
      <Icon size={18} aria-hidden />
    </span>
  );
}
