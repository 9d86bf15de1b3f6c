import { Button, Text } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useMay } from '../../app/session.js';
import { Confirmations } from '../../parts/confirmations.js';
import { type Control, controlQuery } from '../../parts/controls.js';
import { elsewhereWords } from '../../parts/elsewhere.js';
import { Problem } from '../../parts/problem.js';
import { scopeWords } from '../../parts/scope.js';
import { ScopeName } from '../../parts/scope-name.js';
import { ResumeDialog } from '../../parts/stop-dialog.js';
import { When } from '../../parts/when.js';
import { scopeOption } from './scope-choice.js';
import { Command, NeedsRole } from './step.js';

/** Every stop in force, with its author, its reason and the way to lift it; then which services confirm the resume. */
export function ResumeStops({ scope, stops }: { readonly scope: string; readonly stops: readonly Control[] }) {
  const mayStop = useMay('operator');
  const [resuming, setResuming] = useState<Control>();
  const [last, setLast] = useState<string>();
  return (
    <>
      <Text size="sm">
        {stops.length === 0
          ? 'Nothing is stopped, so there is nothing to resume.'
          : 'Resume when the cause is gone. Before you do, you see what starts again.'}
      </Text>
      {stops.map((stop) => (
        <section key={stop.scope} aria-label={`Stopped: ${scopeWords(stop)}`}>
          <Text fw={600}>
            <ScopeName named={stop} first />
          </Text>
          <Text size="sm" mb="xs" className="words">
            {stop.by} stopped it <When at={stop.changedAt} />: {stop.reason}
          </Text>
          {mayStop && (
            <Button
              variant="default"
              leftSection={<IconPlayerPlay size={18} aria-hidden />}
              onClick={() => {
                setResuming(stop);
                setLast(stop.scope);
              }}
            >
              Resume {scopeWords(stop)}
            </Button>
          )}
          <Command text={resumeCommand(stop.scope)} />
        </section>
      ))}
      {stops.length > 0 && !mayStop && <NeedsRole holder="an operator" act="resume" />}
      {stops.length === 0 && <Command text={resumeCommand(scope)} />}
      {last !== undefined && <Resumed scope={last} />}
      {resuming && <ResumeDialog control={resuming} onClose={() => setResuming(undefined)} />}
    </>
  );
}

const resumeCommand = (scope: string): string => `npx countersign resume ${scopeOption(scope)} --reason "why"`;

/** The resume that was ordered here, until every service has confirmed it, and after that. Nothing while the stop is in force. */
function Resumed({ scope }: { readonly scope: string }) {
  const read = useQuery({
    ...controlQuery(scope),
    refetchInterval: ({ state: { data } }) => (data?.state === 'running' && data.confirmed ? false : 1_000),
  });
  const control = read.data;
  if (read.isError) return <Problem error={read.error} again={() => void read.refetch()} />;
  if (control?.state !== 'running') return null;
  return (
    <div role="status">
      <Text fw={600} mb="xs" className="words">
        {control.by} resumed {scopeWords(control)} <When at={control.changedAt} />: {control.reason}
      </Text>
      <Confirmations {...control} />
      <Text size="sm" mt="xs">
        {control.confirmed
          ? 'Every service of this installation applies it.'
          : 'A service that has not confirmed still refuses. If this does not change, look on the page Now whether the service runs.'}
      </Text>
      {control.unknown.length > 0 && <Text size="sm">{elsewhereWords(control.unknown, 'running')}</Text>}
    </div>
  );
}
