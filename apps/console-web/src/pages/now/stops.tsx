import { Badge, Button, Card, Group, Select, Stack, Text } from '@mantine/core';
import { IconCheck, IconClock, IconHandStop, IconPlayerPlay } from '@tabler/icons-react';
import { useState } from 'react';
import { useMay } from '../../app/session.js';
import type { Control } from '../../parts/controls.js';
import { elsewhereWords } from '../../parts/elsewhere.js';
import { scopeWords } from '../../parts/scope.js';
import { ScopeName } from '../../parts/scope-name.js';
import { serviceWords } from '../../parts/services.js';
import { ResumeDialog, StopDialog } from '../../parts/stop-dialog.js';
import { When } from '../../parts/when.js';
import { Lifted } from './lifted.js';
import type { Now } from './now.queries.js';
import { Section } from './section.js';

/** What is stopped, by whom, whether every service applies it, and the buttons that stop. */
export function Stops({ now: { stops, lifted, agents } }: { readonly now: Now }) {
  const mayStop = useMay('operator');
  const [stopping, setStopping] = useState<string>();
  const [resuming, setResuming] = useState<Control>();
  const [agent, setAgent] = useState<string | null>(null);
  return (
    <Section title="Stops" explained="While something is stopped, nothing of it is approved and nothing approved runs.">
      {stops.length === 0 && <Text>Nothing is stopped.</Text>}
      {stops.map((stop) => (
        <Card key={stop.scope} withBorder padding="sm">
          <Group justify="space-between" align="flex-start">
            <Stack gap={2}>
              <Group gap="xs">
                <IconHandStop size={18} aria-hidden />
                <Text fw={700}>
                  Stopped: <ScopeName named={stop} />
                </Text>
              </Group>
              <Text>{stop.reason}</Text>
              <Text size="sm" c="dimmed">
                By {stop.by}, <When at={stop.changedAt} />
              </Text>
              <Group gap="xs">
                {/* A badge for each service: one with all of their names is wider than a phone. */}
                {stop.confirmed
                  ? stop.confirmedBy.map((service) => (
                      <Badge
                        key={service}
                        color="green"
                        variant="light"
                        leftSection={<IconCheck size={12} aria-hidden />}
                      >
                        Confirmed by {serviceWords(service)}
                      </Badge>
                    ))
                  : stop.notConfirmedBy.map((service) => (
                      <Badge
                        key={service}
                        color="orange"
                        variant="light"
                        leftSection={<IconClock size={12} aria-hidden />}
                      >
                        Not confirmed by {serviceWords(service)}
                      </Badge>
                    ))}
              </Group>
              {stop.unknown.length > 0 && <Text size="sm">{elsewhereWords(stop.unknown, 'stopped')}</Text>}
            </Stack>
            {mayStop && (
              <Button
                variant="default"
                leftSection={<IconPlayerPlay size={16} aria-hidden />}
                onClick={() => setResuming(stop)}
              >
                Resume {scopeWords(stop)}
              </Button>
            )}
          </Group>
        </Card>
      ))}
      {mayStop ? (
        <Group align="flex-end">
          <Button
            color="red"
            size="lg"
            leftSection={<IconHandStop size={22} aria-hidden />}
            onClick={() => setStopping('all')}
          >
            Stop everything
          </Button>
          <Select
            label="One agent"
            placeholder="Choose an agent"
            data={agents}
            value={agent}
            onChange={setAgent}
            size="md"
          />
          <Button
            color="red"
            size="md"
            disabled={agent === null}
            leftSection={<IconHandStop size={20} aria-hidden />}
            onClick={() => setStopping(`agent:${agent}`)}
          >
            Stop this agent
          </Button>
        </Group>
      ) : (
        <Text size="sm" c="dimmed">
          An operator can stop and resume. You have another role.
        </Text>
      )}
      <Lifted lifted={lifted} />
      {stopping !== undefined && <StopDialog scope={stopping} onClose={() => setStopping(undefined)} />}
      {resuming && <ResumeDialog control={resuming} onClose={() => setResuming(undefined)} />}
    </Section>
  );
}
