import { Alert, Badge, Button, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconHandStop, IconPlayerPlay } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useMay } from '../app/session.js';
import { type Control, controlsQuery } from './controls.js';
import { Problem } from './problem.js';
import { type ScopeNamed, scopeWords } from './scope.js';
import { ResumeDialog, StopDialog } from './stop-dialog.js';
import { When } from './when.js';

export interface Stop extends ScopeNamed {
  readonly by: string;
  readonly reason: string;
  readonly changedAt: string;
}

/** Whether something runs, as a word and an icon. */
export const StopBadge = ({ stops }: { readonly stops: readonly Stop[] }) =>
  stops.length === 0 ? (
    <Badge color="green" variant="light" leftSection={<IconPlayerPlay size={12} aria-hidden />}>
      Runs
    </Badge>
  ) : (
    <Badge color="red" variant="light" leftSection={<IconHandStop size={12} aria-hidden />}>
      Stopped
    </Badge>
  );

interface StopHereProps extends ScopeNamed {
  readonly stops: readonly Stop[];
}

/** Who stopped it and why, with the button that stops or resumes it. */
export function StopHere({ scope, name = null, stops }: StopHereProps) {
  const words = scopeWords({ scope, name });
  const [stopping, stop] = useDisclosure();
  // The state when its button was pressed, so that the result is still shown after the stop is over.
  const [resuming, setResuming] = useState<Control>();
  const mayStop = useMay('operator');
  const controls = useQuery(controlsQuery);
  const own = controls.data?.find((control) => control.scope === scope && control.state === 'stopped');
  // The page knows of a stop that the list of controls does not have yet: its button comes with the list.
  const coming = own === undefined && stops.some((stop) => stop.scope === scope);
  return (
    <>
      {stops.map((stop) => (
        <Alert
          key={stop.scope}
          color="red"
          icon={<IconHandStop aria-hidden />}
          title={`${stop.by} stopped ${scopeWords(stop)}`}
        >
          <Text size="sm">
            {stop.reason} (<When at={stop.changedAt} />
            ). Nothing of it is approved, and nothing that was approved before runs.
            {stop.scope === scope
              ? ''
              : ' To let it go on, resume everything: the button Stop above lists what is stopped.'}
          </Text>
        </Alert>
      ))}
      {controls.isError && <Problem error={controls.error} again={() => void controls.refetch()} />}
      {mayStop && !(coming && controls.data === undefined) && (
        <Group>
          {own ? (
            <Button
              variant="default"
              leftSection={<IconPlayerPlay size={18} aria-hidden />}
              onClick={() => setResuming(own)}
            >
              Resume {words}
            </Button>
          ) : (
            <Button
              color="red"
              variant="outline"
              leftSection={<IconHandStop size={18} aria-hidden />}
              onClick={stop.open}
            >
              Stop {words}
            </Button>
          )}
        </Group>
      )}
      {stopping && <StopDialog scope={scope} onClose={stop.close} />}
      {resuming && <ResumeDialog control={resuming} onClose={() => setResuming(undefined)} />}
    </>
  );
}
