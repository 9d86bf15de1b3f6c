import { List, Table, Text } from '@mantine/core';
import { capital } from '../../parts/capital.js';
import { Id } from '../../parts/id.js';
import { money } from '../../parts/money.js';
import { regionWords } from '../../parts/regions.js';
import { campaignName, personWords } from '../../parts/sentence.js';
import { toTheSecond } from '../../parts/times.js';
import { Moment } from '../../parts/when.js';
import { type Figure, limitRows } from './limits.js';
import type { Proposal } from './reviews.queries.js';
import type { LiveVerdict } from './verdict-words.js';

interface Props {
  readonly regions: Proposal['regions'];
  readonly facts: Proposal['facts'];
  /** When a person was asked. The totals are as they were then. */
  readonly countedAt: string;
  /** With the present totals, if the validator has reported them. */
  readonly live: LiveVerdict;
}

/**
 * The people and things that the action concerns. The totals include the action: as they were when a person was asked, and as they
 * are now.
 */
export function Touches({ facts, regions, countedAt, live }: Props) {
  const { people, account, accountId, reversible, runningTotals } = facts;
  const judged = live.state === 'known' ? live.judged : undefined;
  const present = judged?.runningTotals ?? undefined;
  // The column is there before the answer, so that the answer moves nothing.
  const two = live.state !== 'not-asked';
  const rows = limitRows(runningTotals, present, facts.money?.amountMinor);
  return (
    <>
      <List listStyleType="none" spacing={6} className="facts">
        {people.map((person) => (
          <List.Item key={person.contactId}>
            {capital(personWords(person))} <Id id={person.contactId} label="contact's id" />
          </List.Item>
        ))}
        {account !== null && (
          <List.Item>
            Account {account} {accountId !== null && <Id id={accountId} label="account's id" />}
          </List.Item>
        )}
        {(['account', 'person'] as const).map((holder) => {
          const held = regions.filter((region) => region.of === holder).map(({ country }) => regionWords(country));
          return (
            held.length > 0 && (
              <List.Item key={holder}>
                Country of {holder === 'account' ? 'the account' : people.length > 1 ? 'the people' : 'the person'}:{' '}
                {held.join(', ')}
              </List.Item>
            )
          );
        })}
        {facts.money && <List.Item>Money: {money(facts.money.amountMinor, facts.money.currency)}</List.Item>}
        <List.Item>{capital(reversible.replace(/ by [a-z_]+\.[a-z_]+/, ''))}</List.Item>
      </List>
      {rows.length > 0 && (
        <Table.ScrollContainer minWidth={280} mt="sm">
          <Text size="sm" c="dimmed">
            Limits, with this action counted in: at <Moment at={countedAt} /> when a person was asked
            {two && (
              <>
                {', '}
                <CountedNow at={present && judged?.at} asking={live.state === 'asking'} like={countedAt} />
              </>
            )}
            .{two && ' They are counted again when you answer.'}
          </Text>
          <Table aria-label="Limits, with this action counted in">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Limit</Table.Th>
                <Table.Th className="numbers">When asked</Table.Th>
                {two && <Table.Th className="numbers">Now</Table.Th>}
                <Table.Th className="numbers">At most</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map(({ ledger, currency, asked, now: counted }) => (
                <Table.Tr key={ledger}>
                  <Table.Td>{ledgerWords(ledger, facts.campaigns)}</Table.Td>
                  <Sum figure={asked} currency={currency} />
                  {two && <Sum figure={counted} currency={currency} />}
                  <Table.Td className="numbers">{amount((counted ?? asked)?.cap, currency)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </>
  );
}

interface CountedNowProps {
  readonly at: string | undefined;
  readonly asking: boolean;
  /** A time that is as wide as the one that will come. */
  readonly like: string;
}

/** When the present totals were counted. The words take their space before the answer. */
const CountedNow = ({ at, asking, like }: CountedNowProps) =>
  at === undefined && !asking ? (
    'and now, which is not known'
  ) : (
    <span className={at === undefined ? 'coming' : ''}>and as of {toTheSecond(at ?? like)}</span>
  );

const amount = (n: number | undefined, currency: string | undefined): string =>
  n === undefined ? '' : currency === undefined ? n.toLocaleString() : money(n, currency);

const Sum = ({ figure, currency }: { readonly figure: Figure | undefined; readonly currency: string | undefined }) => (
  <Table.Td className="numbers">
    {figure ? amount(figure.sum, currency) : '–'}
    {figure && figure.sum > figure.cap && <Text size="xs">over the limit</Text>}
  </Table.Td>
);

const spender = ([kind, id = '']: readonly string[], campaigns: Proposal['facts']['campaigns']): string =>
  kind === 'campaign' ? campaignName(campaigns, id) : id;

/** "on 2026-11-21", "in 2026-11"; a limit that is shown for two days or two months has neither. */
function periodWords(period: string | undefined): string {
  if (period === undefined) return 'on each day';
  if (period === 'each-month') return 'in each month';
  return `${/^\d{4}-\d{2}$/.test(period) ? 'in' : 'on'} ${period}`;
}

/** What a limit counts: "spend:campaign:c-1:2026-11-21" is the money of a campaign on one day. */
function ledgerWords(ledger: string, campaigns: Proposal['facts']['campaigns']): string {
  const [family = '', ...rest] = ledger.split(':');
  switch (family) {
    case 'touch':
      return 'Messages to this person';
    case 'message':
      return 'This message to this person';
    case 'sends':
      return `Messages of ${rest[0] ?? ''} in an hour`;
    case 'actions':
      return rest.length > 1 ? `Actions of ${rest[0]} for ${rest.slice(1).join(':')}` : `Actions of ${rest[0] ?? ''}`;
    case 'spend':
      return `Spend of the ${(rest[0] ?? '').replaceAll('-', ' ')} ${spender(rest, campaigns)} ${periodWords(rest[2])}`;
    default:
      return ledger;
  }
}
