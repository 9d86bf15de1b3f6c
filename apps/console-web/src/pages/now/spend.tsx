import { Card, Group, Progress, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { money } from '../../parts/money.js';
import { PageLink } from '../../parts/page-link.js';
import { WithId } from '../../parts/scope-name.js';
import type { Now, SpendFigure } from './now.queries.js';
import { Section } from './section.js';

/** Today's money against the caps of the charters. */
export function Spend({ spend }: { readonly spend: Now['spend'] }) {
  const { adAccounts, campaigns, agents, caps, more } = spend;
  return (
    <Section title="Spend of today" explained={spend.explained}>
      {adAccounts.length === 0 && campaigns.length === 0 ? (
        <Card withBorder padding="sm">
          <Text>Nothing is reserved or spent today.</Text>
          <Text size="sm">
            {caps.length === 0
              ? 'No charter lets an agent spend money. To change that, write limits into a charter of the configuration, then publish it on the page '
              : 'An amount appears here when an action that costs money is approved. The caps stand in the charters; they change on the page '}
            <PageLink to="/policy">Policy</PageLink>.
          </Text>
          {caps.map((cap) => (
            <Text key={cap.agent} size="sm" c="dimmed">
              {cap.agent} may spend {money(cap.campaignMinor, cap.currency)} a day on a campaign and{' '}
              {money(cap.adAccountMinor, cap.currency)} on an ad account.
            </Text>
          ))}
        </Card>
      ) : (
        <SimpleGrid cols={{ base: 1, md: 3 }}>
          <Holders title="Ad accounts" figures={adAccounts} more={more.adAccounts} />
          <Holders title="Campaigns" figures={campaigns} more={more.campaigns} />
          <Holders
            title="Agents"
            figures={agents}
            more={0}
            {...(agents.every(({ capMinor }) => capMinor === null) && {
              capless:
                'An agent has no cap of its own. Its charter has one for each campaign and one for each ad account.',
            })}
          />
        </SimpleGrid>
      )}
    </Section>
  );
}

function Holders({ title, figures, more, capless }: HoldersProps) {
  return (
    <Card withBorder component="article" aria-label={title} padding="sm">
      <Title order={3} size="h5">
        {title}
      </Title>
      {capless !== undefined && (
        <Text size="sm" c="dimmed">
          {capless}
        </Text>
      )}
      <Stack gap="sm" mt="xs">
        {figures.map((figure) => (
          <Holder key={`${figure.id} ${figure.currency} ${figure.day}`} figure={figure} />
        ))}
        {more > 0 && <Text size="sm">And {more.toLocaleString()} more, further from their caps.</Text>}
      </Stack>
    </Card>
  );
}

interface HoldersProps {
  readonly title: string;
  readonly figures: readonly SpendFigure[];
  readonly more: number;
  readonly capless?: string;
}

function Holder({
  figure: { id, name, currency, heldMinor, committedMinor, capMinor },
}: {
  readonly figure: SpendFigure;
}) {
  const inCurrency = (minor: number): string => money(minor, currency);
  const share = (minor: number): number => (capMinor === null || capMinor === 0 ? 0 : (minor / capMinor) * 100);
  const used = share(heldMinor + committedMinor);
  return (
    <div>
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm" fw={600} className="breaks">
          <WithId words={name ?? id} id={name === null || name === id ? undefined : id} />
        </Text>
        {capMinor !== null && (
          <Text size="sm" className="numbers">
            {Math.round(used)} %
          </Text>
        )}
      </Group>
      {capMinor !== null && (
        <Progress.Root size="lg" aria-hidden>
          <Progress.Section value={Math.min(100, share(committedMinor))} color="blue" />
          <Progress.Section value={Math.min(100, share(heldMinor))} color="blue.4" striped />
        </Progress.Root>
      )}
      <Text size="sm">
        {inCurrency(committedMinor)} spent, {inCurrency(heldMinor)} reserved
        {capMinor !== null && `, of ${inCurrency(capMinor)} a day`}
      </Text>
    </div>
  );
}
