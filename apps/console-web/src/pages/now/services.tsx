import { Badge, Card, Group, SimpleGrid, Text, Title } from '@mantine/core';
import { IconCheck, IconQuestionMark } from '@tabler/icons-react';
import { When } from '../../parts/when.js';
import type { Now } from './now.queries.js';
import { Section } from './section.js';

/** Which services are there, as far as the console can know. It shows the others as not confirmed. */
export function Services({ now: { services, askedBrokerAt } }: { readonly now: Now }) {
  const missing = services.filter(({ state, elsewhere }) => state !== 'confirmed' && !elsewhere).length;
  return (
    <Section
      title="Services"
      explained="Confirmed: the service is connected to Kafka, over which all services talk, and it applies every stop and resume."
      aside={
        <Text size="sm" c="dimmed">
          {askedBrokerAt === null ? (
            'Kafka has not answered yet'
          ) : (
            <>
              Last asked Kafka <When at={askedBrokerAt} />
            </>
          )}
        </Text>
      }
    >
      <Text fw={600}>
        {missing === 0
          ? 'Every service that runs here is confirmed.'
          : `${missing === 1 ? '1 service is' : `${missing} services are`} not confirmed.`}
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 3 }}>
        {services.map((service) => (
          <Card key={service.service} withBorder component="article" aria-label={service.service} padding="sm">
            <Group justify="space-between">
              <Title order={3} size="h5" className="breaks">
                {service.service}
              </Title>
              {service.state === 'confirmed' ? (
                <Badge color="green" variant="light" leftSection={<IconCheck size={12} aria-hidden />}>
                  Confirmed
                </Badge>
              ) : (
                <Badge
                  color={service.elsewhere ? 'gray' : 'orange'}
                  variant="light"
                  leftSection={<IconQuestionMark size={12} aria-hidden />}
                >
                  {service.elsewhere ? 'Runs elsewhere' : 'Not confirmed'}
                </Badge>
              )}
            </Group>
            <Text size="sm">{service.detail}</Text>
            <Text size="sm" c="dimmed">
              {service.lastEventAt === null ? (
                'It has sent no event yet'
              ) : (
                <>
                  Its last event <When at={service.lastEventAt} />
                </>
              )}
            </Text>
            {service.instances === 0 && service.lastMemberAt !== null && (
              <Text size="sm" c="dimmed">
                Last connected <When at={service.lastMemberAt} />
              </Text>
            )}
            {service.openDeadLetters > 0 && (
              <Text size="sm" fw={600}>
                {service.openDeadLetters.toLocaleString()}{' '}
                {service.openDeadLetters === 1 ? 'dead letter is' : 'dead letters are'} open
              </Text>
            )}
          </Card>
        ))}
      </SimpleGrid>
    </Section>
  );
}
