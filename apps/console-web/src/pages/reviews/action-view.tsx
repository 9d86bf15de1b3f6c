import { Divider, Mark, Paper, Stack, Table, Text } from '@mantine/core';
import { money } from '../../parts/money.js';
import { campaignName, personWords, pieces } from '../../parts/sentence.js';
import { full } from '../../parts/times.js';
import { Bars, type Change } from './bars.js';
import { labelOf } from './fields.js';
import type { Proposal } from './reviews.queries.js';

type Facts = Proposal['facts'];
type Payload = Readonly<Record<string, unknown>>;

/** The action as its recipient or the ad system will get it. `payload` may be an edited one. */
export function ActionView({
  kind,
  payload,
  facts,
  askedAt,
}: {
  readonly kind: string;
  readonly payload: Payload;
  readonly facts: Facts;
  /** When a person was asked. The facts are as they were then. */
  readonly askedAt: string;
}) {
  switch (kind) {
    case 'email.send':
      return <Mail payload={payload} facts={facts} />;
    case 'ads.publish_creative':
      return <Advertisement payload={payload} facts={facts} />;
    case 'ads.shift_budget':
    case 'ads.set_bid':
    case 'ads.resume_campaign':
      return (
        <Bars changes={changesOf(kind, payload, facts)} currency={String(payload.currency)} reportedAt={askedAt} />
      );
    default:
      return <Members payload={payload} facts={facts} />;
  }
}

/** The figures before and after. `before` is undefined if it was never reported. */
function changesOf(kind: string, payload: Payload, { campaigns }: Facts): readonly Change[] {
  const known = (id: unknown) => campaigns.find(({ campaignId }) => campaignId === id);
  const name = (id: unknown): string => campaignName(campaigns, id);
  switch (kind) {
    case 'ads.shift_budget':
      return [
        [payload.fromCampaignId, -Number(payload.amountMinor)] as const,
        [payload.toCampaignId, Number(payload.amountMinor)] as const,
      ].map(([id, by]) => {
        const before = known(id)?.dailyBudgetMinor;
        return {
          name: name(id),
          figure: 'Daily budget',
          before,
          after: before === undefined ? undefined : before + by,
          by,
        };
      });
    case 'ads.set_bid':
      return [toFigure(name(payload.campaignId), 'Bid', known(payload.campaignId)?.bidMinor, Number(payload.bidMinor))];
    default:
      return [
        toFigure(
          name(payload.campaignId),
          'Daily budget',
          known(payload.campaignId)?.dailyBudgetMinor,
          Number(payload.dailyBudgetMinor),
        ),
      ];
  }
}

const toFigure = (name: string, figure: string, before: number | undefined, after: number): Change => ({
  name,
  figure,
  before,
  after,
  by: before === undefined ? undefined : after - before,
});

/** A text of an agent or a template. It is shown as plain text, with its placeholders marked. */
export const Written = ({ text }: { readonly text: string }) => (
  <Text component="span" className="written">
    {pieces(text).map((piece, place) =>
      piece.placeholder ? (
        // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one text never change their places
        <Mark key={place} className="placeholder" title="Filled in when it is sent">
          {piece.text}
        </Mark>
      ) : (
        piece.text
      ),
    )}
  </Text>
);

function Mail({ payload, facts }: { readonly payload: Payload; readonly facts: Facts }) {
  const person = facts.people[0];
  return (
    <Paper withBorder p="md" component="section" aria-label="The mail">
      <Table verticalSpacing={4} withRowBorders={false} className="heads">
        <Table.Tbody>
          <Table.Tr>
            <Table.Th scope="row">To</Table.Th>
            <Table.Td>{person ? personWords(person) : 'a contact'}; the address is filled in when it is sent</Table.Td>
          </Table.Tr>
          <Table.Tr>
            <Table.Th scope="row">Subject</Table.Th>
            <Table.Td fw={600}>
              <Written text={String(payload.subject)} />
            </Table.Td>
          </Table.Tr>
          <Table.Tr>
            <Table.Th scope="row">Not before</Table.Th>
            <Table.Td>{full(String(payload.sendAt))}</Table.Td>
          </Table.Tr>
          <Table.Tr>
            <Table.Th scope="row">Purpose</Table.Th>
            <Table.Td>{String(payload.purpose)}</Table.Td>
          </Table.Tr>
        </Table.Tbody>
      </Table>
      <Divider my="sm" />
      <Written text={String(payload.body)} />
      <Text size="sm" c="dimmed" mt="sm">
        <Mark className="placeholder">Marked</Mark> words are filled in from the person's record when it is sent.
      </Text>
    </Paper>
  );
}

function Advertisement({ payload, facts }: { readonly payload: Payload; readonly facts: Facts }) {
  return (
    <Paper withBorder p="md" component="section" aria-label="The advertisement">
      <Stack gap="xs">
        <Text size="sm" c="dimmed">
          In {campaignName(facts.campaigns, payload.campaignId)}
        </Text>
        <Text fw={700} size="lg">
          <Written text={String(payload.headline)} />
        </Text>
        <Written text={String(payload.body)} />
        <Text size="sm" className="written">
          Leads to {String(payload.url)}
        </Text>
      </Stack>
    </Paper>
  );
}

/** An action without a view of its own: its members, in words. */
function Members({ payload, facts }: { readonly payload: Payload; readonly facts: Facts }) {
  return (
    <Table withTableBorder>
      <Table.Tbody>
        {Object.entries(payload)
          .filter(([name]) => name !== 'currency' || !Object.keys(payload).some((other) => other.endsWith('Minor')))
          .map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" fw={400}>
                {labelOf(name)}
              </Table.Th>
              <Table.Td className="written">{memberWords(name, value, payload, facts)}</Table.Td>
            </Table.Tr>
          ))}
      </Table.Tbody>
    </Table>
  );
}

function memberWords(name: string, value: unknown, payload: Payload, facts: Facts): string {
  if (name.endsWith('Minor') && typeof value === 'number') return money(value, String(payload.currency));
  if (name.endsWith('ampaignId')) return campaignName(facts.campaigns, value);
  if (name === 'contactId') {
    const person = facts.people.find(({ contactId }) => contactId === value);
    return person ? personWords(person) : String(value);
  }
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*Z$/.test(value)) return full(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
