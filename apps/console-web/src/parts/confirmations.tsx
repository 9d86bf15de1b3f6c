import { Badge, Group } from '@mantine/core';
import { IconCheck, IconClock } from '@tabler/icons-react';
import { capital } from './capital.js';
import { serviceWords } from './services.js';

interface Props {
  readonly confirmedBy: readonly string[];
  readonly notConfirmedBy: readonly string[];
}

/** Which services apply a stop or a resume, and which have not confirmed it yet. A badge for each: all their names are wider than a phone. */
export const Confirmations = ({ confirmedBy, notConfirmedBy }: Props) => (
  <Group gap="xs">
    {confirmedBy.map((service) => (
      <Badge key={service} color="green" variant="light" leftSection={<IconCheck size={12} aria-hidden />}>
        {capital(serviceWords(service))} confirmed
      </Badge>
    ))}
    {notConfirmedBy.map((service) => (
      <Badge key={service} color="orange" variant="light" leftSection={<IconClock size={12} aria-hidden />}>
        {capital(serviceWords(service))} not confirmed yet
      </Badge>
    ))}
  </Group>
);
