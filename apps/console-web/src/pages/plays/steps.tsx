import { Text, Title } from '@mantine/core';
import { IconBolt, IconChecklist, IconHourglass, IconScale, IconUserCheck, type TablerIcon } from '@tabler/icons-react';
import { agentPath, PageLink } from '../../parts/page-link.js';
import type { PlayPage } from './plays.queries.js';
import { dotsOf, type Standing, standingWords } from './standing.js';

type Step = PlayPage['steps'][number];

const icons: Readonly<Record<Step['kind'], TablerIcon>> = {
  trigger: IconBolt,
  'cool-down': IconHourglass,
  checkpoint: IconUserCheck,
  task: IconChecklist,
  proposals: IconScale,
};

/**
 * A play as steps on one line, which a screen reader reads as a list, with the runs that stand at each of them. Its tasks are assigned at
 * the same time.
 */
export function Steps({ steps }: { readonly steps: readonly Step[] }) {
  const tasks = steps.filter(({ kind }) => kind === 'task');
  const single = (step: Step) => (
    <li key={step.kind} className="step">
      <Mark kind={step.kind} />
      <div>
        <Title order={3} size="h5">
          {step.title}
        </Title>
        <Lines step={step} />
        {step.runs && <Here runs={step.runs} />}
      </div>
    </li>
  );
  return (
    <ol className="steps">
      {steps.filter(({ kind }) => kind !== 'task' && kind !== 'proposals').map(single)}
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
                {step.runs && <Here runs={step.runs} />}
              </li>
            ))}
          </ul>
        </div>
      </li>
      {steps.filter(({ kind }) => kind === 'proposals').map(single)}
    </ol>
  );
}

/** How many runs stand here now: a dot for each, and words. */
function Here({ runs }: { readonly runs: Standing }) {
  const dots = dotsOf(runs);
  return (
    <Text size="sm" mt={4} {...(runs.here === 0 ? { c: 'dimmed' } : { fw: 600 })}>
      {dots.length > 0 && (
        <span className="dots" aria-hidden>
          {dots.map((dot, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a dot is a number, not a certain run
            <span key={place} data-state={dot} />
          ))}
        </span>
      )}
      {standingWords(runs)}
    </Text>
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
