import { Alert, List, Text } from '@mantine/core';
import { IconBan } from '@tabler/icons-react';
import { capital } from '../../parts/capital.js';
import { full, toTheSecond } from '../../parts/times.js';
import { useNow } from '../../parts/use-now.js';
import { withoutIds } from './facts.js';
import type { Proposal } from './reviews.queries.js';
import type { Judged, LiveVerdict } from './use-live-verdict.js';
import { effectOf, titleAgainst, underButtons } from './verdict-words.js';

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

/**
 * Says that an approval would have no effect now, with the rules that decide so. Also says if the policy in force differs from the
 * one when a person was asked.
 */
export function SinceAsked({ card, live }: Props) {
  if (live.state !== 'known') return null;
  const { judged } = live;
  const { policy } = card.facts;
  const title = titleAgainst(judged);
  const another = judged.policy !== null && judged.policy.digest !== policy.digest ? judged.policy : undefined;
  return (
    <>
      {title !== undefined && (
        <Alert color="orange" role="alert" icon={<IconBan aria-hidden />} title={title}>
          <Against card={card} judged={judged} />
          <Text size="sm" mt="xs">
            {effectOf(judged) === 'none' ? (
              <>
                This is so <AsOf at={judged.at} />. A change or a rejection by you would have no effect either.
              </>
            ) : (
              <>
                This is what the rules say <AsOf at={judged.at} />. While you use this page, they are asked again when
                consent, a stop, the policy or a limit changes, and every minute. You can change it, reject it, or wait,
                at most to the deadline.
              </>
            )}
          </Text>
        </Alert>
      )}
      {another && (
        <Text role="status">
          Another policy is in force than when you were asked: version {another.version} in place of {policy.version} (
          <AsOf at={judged.at} />
          ).
        </Text>
      )}
    </>
  );
}

function Against({ card, judged }: { readonly card: Proposal; readonly judged: Judged }) {
  const now = useNow(60_000);
  return (
    <List size="sm">
      {judged.reasons.map(({ rule, detail }) => (
        <List.Item key={rule + detail}>
          {capital(withoutIds(detail, card.facts.people, now))} {effectOf(judged) === 'refused' && `(rule ${rule})`}
        </List.Item>
      ))}
    </List>
  );
}

/** Under the buttons: the result of an approval at this moment, and the note that this is not a verdict yet. */
export function IfApproved({ live }: Pick<Props, 'live'>) {
  switch (live.state) {
    case 'not-asked':
      return 'The rules are applied once more before it runs. You approve this one action and nothing like it later.';
    case 'asking':
      // A sentence alone: a spinner would make the line higher, and the buttons would move when the answer comes.
      return 'Asking what the rules say at this moment. They are applied once more before it runs.';
    case 'unknown':
      return 'What the rules say at this moment is not known. They are applied once more before it runs. You approve this one action and nothing like it later.';
    case 'known': {
      const [now, then] = underButtons(live.judged);
      return (
        <>
          {now} (<AsOf at={live.judged.at} />
          ). {then}
        </>
      );
    }
  }
}
