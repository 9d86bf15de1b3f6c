import { List, Table, Text } from '@mantine/core';
import { capital } from '../../parts/capital.js';
import { Id } from '../../parts/id.js';
import { money } from '../../parts/money.js';
import { personWords } from '../../parts/sentence.js';
import { Moment } from '../../parts/when.js';
import type { Proposal } from './reviews.queries.js';

interface Props {
  readonly facts: Proposal['facts'];
  /** When a person was asked: the totals are those of then. */
  readonly countedAt: string;
}

/** Whom and what the action touches, with the totals as they were with it when a person was asked. */
export function Touches({ facts, countedAt }: Props) {
  const { people, account, accountId, reversible, runningTotals } = facts;
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
        {facts.money && <List.Item>Money: {money(facts.money.amountMinor, facts.money.currency)}</List.Item>}
        <List.Item>{capital(reversible.replace(/ by [a-z_]+\.[a-z_]+/, ''))}</List.Item>
      </List>
      {runningTotals.length > 0 && (
        <Table.ScrollContainer minWidth={280} mt="sm">
          <Text size="sm" c="dimmed">
            Limits, as counted at <Moment at={countedAt} />. They are counted again when you answer.
          </Text>
          <Table aria-label="Limits, with this action counted in">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Limit</Table.Th>
                <Table.Th className="numbers">With this</Table.Th>
                <Table.Th className="numbers">At most</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {runningTotals.map((total) => {
                const asked = total.currency === undefined ? 1 : (facts.money?.amountMinor ?? 0);
                const sum = total.held + total.committed + asked;
                const shown = (n: number): string =>
                  total.currency === undefined ? n.toLocaleString() : money(n, total.currency);
                return (
                  <Table.Tr key={total.ledger}>
                    <Table.Td>{ledgerWords(total.ledger)}</Table.Td>
                    <Table.Td className="numbers">
                      {shown(sum)}
                      {sum > total.cap && <Text size="xs">over the limit</Text>}
                    </Table.Td>
                    <Table.Td className="numbers">{shown(total.cap)}</Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </>
  );
}

/** What is counted: "spend:campaign:c-1:2026-11-21" is the money of a campaign on a day. */
function ledgerWords(ledger: string): string {
  const [family = '', ...rest] = ledger.split(':');
  switch (family) {
    case 'touch':
      return 'Messages to this person';
    case 'sends':
      return `Messages of ${rest[0] ?? ''} in an hour`;
    case 'actions':
      return rest.length > 1 ? `Actions of ${rest[0]} for ${rest.slice(1).join(':')}` : `Actions of ${rest[0] ?? ''}`;
    case 'spend':
      return `Spend of the ${(rest[0] ?? '').replaceAll('-', ' ')} ${rest[1] ?? ''}${rest[2] ? ` on ${rest[2]}` : ''}`;
    default:
      return ledger;
  }
}
