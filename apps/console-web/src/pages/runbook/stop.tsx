import { Button, Group, Skeleton, Text } from '@mantine/core';
import { IconHandStop } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useMay } from '../../app/session.js';
import { Confirmations } from '../../parts/confirmations.js';
import { controlsQuery } from '../../parts/controls.js';
import { elsewhereWords } from '../../parts/elsewhere.js';
import { Problem } from '../../parts/problem.js';
import { approvedUnder } from '../../parts/reach.js';
import { scopeWords } from '../../parts/scope.js';
import { StopDialog } from '../../parts/stop-dialog.js';
import { When } from '../../parts/when.js';
import { queueQuery } from '../now/now.queries.js';
import { ResumeStops } from './resume.js';
import { ScopeChoice, scopeOption, useScopeName } from './scope-choice.js';
import { Command, NeedsRole, Step } from './step.js';
import { UnderWay } from './under-way.js';

export function StopGuide() {
  const [scope, setScope] = useState('all');
  const reached = useQuery(queueQuery('all'));
  const [stopping, setStopping] = useState(false);
  const mayStop = useMay('operator');
  const controls = useQuery({ ...controlsQuery, refetchInterval: 2_000 });
  const words = scopeWords({ scope, name: useScopeName(scope) });
  const stop = controls.data?.find((control) => control.scope === scope && control.state === 'stopped');
  // All steps appear at the same time, so that the first one moves no button of the others down.
  if (reached.isPending) return <Skeleton h={760} />;
  return (
    <>
      <Step n={1} title="See what it reaches">
        <ScopeChoice scope={scope} onChange={setScope} />
        <UnderWay scope={scope} />
        <Command text={`npx countersign queue ${scopeOption(scope)}`} />
        <Text size="sm">
          A stop ends the permit of each approved action that has not run. What is being called this moment may still be
          done. Reviews stay open. {approvedUnder}
        </Text>
      </Step>
      <Step n={2} title="Stop">
        {mayStop ? (
          <Group>
            <Button
              color="red"
              size="md"
              leftSection={<IconHandStop size={20} aria-hidden />}
              onClick={() => setStopping(true)}
            >
              Stop {words}
            </Button>
          </Group>
        ) : (
          <NeedsRole holder="an operator" act="stop" />
        )}
        <Command text={`npx countersign stop ${scopeOption(scope)} --reason "why"`} />
      </Step>
      <Step n={3} title="See it hold">
        {controls.isError && <Problem error={controls.error} again={() => void controls.refetch()} />}
        {!controls.data ? (
          !controls.isError && <Skeleton h={48} />
        ) : stop ? (
          <div role="status">
            <Text fw={600} mb="xs" className="words">
              {stop.by} stopped {words} <When at={stop.changedAt} />: {stop.reason}
            </Text>
            <Confirmations {...stop} />
            <Text size="sm" mt="xs">
              {stop.confirmed
                ? 'The validator and every executor of this installation apply it. What step 1 lists as approved settles as refused when it comes to be due.'
                : 'A service that has not confirmed may still act as before. If this does not change, look on the page Now whether the service runs.'}
            </Text>
            {stop.unknown.length > 0 && <Text size="sm">{elsewhereWords(stop.unknown, 'stopped')}</Text>}
          </div>
        ) : (
          <Text>No stop of {words} is in force.</Text>
        )}
        <Command text="npx countersign controls" />
      </Step>
      <Step n={4} title="Resume">
        {controls.data ? (
          <ResumeStops scope={scope} stops={controls.data} />
        ) : controls.isError ? (
          <Text>What is stopped now is not known.</Text>
        ) : (
          <Skeleton h={96} />
        )}
      </Step>
      {stopping && <StopDialog scope={scope} onClose={() => setStopping(false)} />}
    </>
  );
}
