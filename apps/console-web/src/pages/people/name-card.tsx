import { Anchor, Button, Card, Group, List, Text, Title } from '@mantine/core';
import { IconEye, IconEyeOff } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useMay } from '../../app/session.js';
import { useSeen } from '../../parts/use-seen.js';
import type { WholePerson } from './people.queries.js';
import type { Revealed } from './reveal.js';
import { RevealDialog } from './reveal-dialog.js';
import { fieldWords } from './words.js';

/** For how long the page shows what was revealed. */
const shownMs = 60_000;

/** Name and address. They are masked. A privacy officer who gives a reason sees them for a minute. */
export function NameCard({ person }: { readonly person: WholePerson }) {
  const { contactId, account, joinedInto } = person;
  const seen = useSeen(person);
  const mayReveal = useMay('privacy-officer');
  const [asking, setAsking] = useState(false);
  const [revealed, setRevealed] = useState<Revealed>();
  useEffect(() => {
    if (revealed === undefined) return;
    const hide = () => setRevealed(undefined);
    const timer = setTimeout(hide, shownMs);
    const hideUnseen = () => document.visibilityState === 'hidden' && hide();
    document.addEventListener('visibilitychange', hideUnseen);
    window.addEventListener('pagehide', hide);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', hideUnseen);
      window.removeEventListener('pagehide', hide);
    };
  }, [revealed]);
  return (
    <Card withBorder component="section" aria-labelledby="name">
      <Title order={2} size="h4" id="name">
        Name and address
      </Title>
      {revealed ? (
        <Shown revealed={revealed} onHide={() => setRevealed(undefined)} />
      ) : (
        <>
          <Group gap="xs" mt="xs">
            <IconEyeOff size={16} aria-hidden />
            <Text ff="monospace" aria-label="hidden">
              ••••••••
            </Text>
          </Group>
          <Text size="sm" mt="xs">
            The console does not hold the name and the address. They are encrypted, and an executor decrypts them when
            it sends something that was approved. A privacy officer can reveal them for a purpose. The record keeps who
            asked, and why.
          </Text>
          {!mayReveal && (
            <Text size="sm" mt="xs" className="breaks">
              {account
                ? `To find out who it is, ask a privacy officer, or look in your CRM at the account ${account.name ?? account.accountId} for this role.`
                : 'To find out who it is, ask a privacy officer, or look in the system that sent the signals named below.'}
            </Text>
          )}
          {mayReveal && joinedInto === null && (
            <Button
              mt="sm"
              size="sm"
              variant="default"
              leftSection={<IconEye size={16} aria-hidden />}
              onClick={() => setAsking(true)}
            >
              Reveal
            </Button>
          )}
        </>
      )}
      {asking && (
        <RevealDialog
          contactId={contactId}
          seen={seen}
          onClose={() => setAsking(false)}
          onRevealed={(opened) => {
            setRevealed(opened);
            setAsking(false);
          }}
        />
      )}
    </Card>
  );
}

function Shown({ revealed, onHide }: { readonly revealed: Revealed; readonly onHide: () => void }) {
  const { firstName, lastName, email, phone } = revealed;
  const name = [firstName, lastName].filter((part) => part !== undefined).join(' ');
  return (
    <>
      <List size="sm" mt="xs" spacing={4} listStyleType="none" aria-label="Revealed">
        {name !== '' && (
          <List.Item className="breaks">
            {fieldWords.name}: <b>{name}</b>
          </List.Item>
        )}
        {email !== undefined && (
          <List.Item className="breaks">
            {fieldWords.email}: <b>{email}</b>
          </List.Item>
        )}
        {phone !== undefined && (
          <List.Item className="breaks">
            {fieldWords.phone}: <b>{phone}</b>
          </List.Item>
        )}
      </List>
      <Text size="sm" mt="xs">
        The page hides this again after a minute, or when you leave. The record and{' '}
        <Anchor href="#looked">the list below</Anchor> say that you asked.
      </Text>
      <Button mt="sm" size="sm" variant="default" leftSection={<IconEyeOff size={16} aria-hidden />} onClick={onHide}>
        Hide
      </Button>
    </>
  );
}
