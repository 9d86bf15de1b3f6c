import { Alert, Button, List, Text } from '@mantine/core';
import { IconBan, IconGavel, IconRefresh } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { capital } from '../../parts/capital.js';
import { full, toTheSecond } from '../../parts/times.js';
import { useNow } from '../../parts/use-now.js';
import { withoutIds } from './facts.js';
import type { Proposal } from './reviews.queries.js';
import { effectOf, type Judged, type LiveVerdict, titleAgainst, underButtons } from './verdict-words.js';

const AsOf = ({ at }: { readonly at: string }) => (
  <>
    as of{' '}
    <Text component="time" inherit dateTime={at} title={full(at)}>
      {toTheSecond(at)}
    </Text>
  </>
);

interface Props {
  readonly card: Proposal;
  readonly live: LiveVerdict;
}

interface RulesProps extends Props {
  /** Asks for the present verdict of the rules. Only who may answer asks. */
  readonly onAskAgain: (() => void) | undefined;
  readonly asking: boolean;
}

/**
 * What the rules say of an approval at this moment, and whether the policy in force differs from the one when a person was asked.
 * It has the same height before and after the answer of the rules, so that the answer moves nothing.
 */
export function RulesNow({ card, live, onAskAgain, asking }: RulesProps) {
  const again = onAskAgain && (
    <Button
      variant="default"
      size="xs"
      mt="xs"
      leftSection={<IconRefresh size={16} aria-hidden />}
      onClick={onAskAgain}
      loading={asking}
    >
      Ask the rules again
    </Button>
  );
  switch (live.state) {
    case 'not-asked':
      return null;
    case 'asking':
      return (
        <Note title="Asking what the rules say at this moment" again={again}>
          {whenAsked}
        </Note>
      );
    case 'unknown':
      return (
        <Note title="What the rules say at this moment is not known" again={again}>
          {live.why ?? whenAsked}
        </Note>
      );
    case 'known': {
      const { judged } = live;
      const title = titleAgainst(judged);
      return title === undefined ? (
        <Note
          title={
            <>
              The rules would let it through (<AsOf at={judged.at} />)
            </>
          }
          again={again}
        >
          {policyWords(card, judged) ?? whenAsked}
        </Note>
      ) : (
        <Alert className="rules-now" color="orange" role="alert" icon={<IconBan aria-hidden />} title={title}>
          <Against card={card} judged={judged} />
          {again}
        </Alert>
      );
    }
  }
}

const whenAsked = 'They are asked again when consent, a stop, the policy or a limit changes, and every minute.';

interface NoteProps {
  readonly title: ReactNode;
  readonly children: string;
  readonly again: ReactNode;
}

const Note = ({ title, children, again }: NoteProps) => (
  <Alert className="rules-now" color="gray" role="note" icon={<IconGavel aria-hidden />} title={title}>
    <Text size="sm">{children}</Text>
    {again}
  </Alert>
);

function policyWords({ facts: { policy } }: Proposal, judged: Judged): string | undefined {
  return judged.policy === null || judged.policy.digest === policy.digest
    ? undefined
    : `Another policy is in force than when you were asked: version ${judged.policy.version} in place of ${policy.version}.`;
}

/** The first reason is in sight. The others, and what the person can do, are folded away. */
function Against({ card, judged }: { readonly card: Proposal; readonly judged: Judged }) {
  const now = useNow(60_000);
  const refused = effectOf(judged) === 'refused';
  const [first = 'The rules gave no reason', ...others] = judged.reasons.map(
    ({ rule, detail }) =>
      `${capital(withoutIds(detail, { ...card.facts, play: card.play }, now))}${refused ? ` (rule ${rule})` : ''}`,
  );
  const policy = policyWords(card, judged);
  return (
    <details>
      <summary>
        <span>{first}</span>
      </summary>
      {others.length > 0 && (
        <List size="sm">
          {others.map((reason) => (
            <List.Item key={reason}>{reason}</List.Item>
          ))}
        </List>
      )}
      {policy !== undefined && <Text size="sm">{policy}</Text>}
      <Text size="sm" mt="xs">
        {refused ? (
          <>
            This is what the rules say <AsOf at={judged.at} />. {whenAsked} You can change it, reject it, or wait, at
            most to the deadline.
          </>
        ) : (
          <>
            This is so <AsOf at={judged.at} />. A change or a rejection by you would have no effect either.
          </>
        )}
      </Text>
    </details>
  );
}

/** Under the buttons: what follows from an approval. The lines have their place before the rules have answered. */
export function IfApproved({ live }: Pick<Props, 'live'>) {
  const against = live.state === 'known' ? underButtons(live.judged) : undefined;
  if (live.state !== 'known' || against === undefined)
    return (
      <>
        The rules are applied once more before it runs.{' '}
        <Text span inherit visibleFrom="xs">
          You approve this one action and nothing like it later.
        </Text>
      </>
    );
  const [now, then] = against;
  return (
    <>
      {now} (<AsOf at={live.judged.at} />
      ). {then}
    </>
  );
}
