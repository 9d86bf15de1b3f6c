import { Alert, List, Loader, Text } from '@mantine/core';
import { IconBan } from '@tabler/icons-react';
import { capital } from '../../parts/capital.js';
import { full, toTheSecond } from '../../parts/times.js';
import { useNow } from '../../parts/use-now.js';
import { withoutIds } from './facts.js';
import type { Proposal } from './reviews.queries.js';
import type { Judged, LiveVerdict } from './use-live-verdict.js';

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

/** That an approval would come to nothing now, with the rules that say so; and that another policy is in force than when a person was asked. */
export function SinceAsked({ card, live }: Props) {
  if (live.state !== 'known') return null;
  const { judged } = live;
  const { policy } = card.facts;
  const another = judged.policy !== null && judged.policy.digest !== policy.digest ? judged.policy : undefined;
  return (
    <>
      {judged.outcome === 'refused' && (
        <Alert
          color="orange"
          role="alert"
          icon={<IconBan aria-hidden />}
          title="If you approve it now, it is refused and cannot be approved later"
        >
          <Against card={card} judged={judged} />
          <Text size="sm" mt="xs">
            This is what the rules say <AsOf at={judged.at} />. They are asked again when something changes. You can
            change it, reject it, or wait, at most to the deadline.
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
          {capital(withoutIds(detail, card.facts.people, now))} (rule {rule})
        </List.Item>
      ))}
    </List>
  );
}

/** Under the buttons: what an approval comes to at this moment, and that this is no verdict yet. */
export function IfApproved({ live }: Pick<Props, 'live'>) {
  switch (live.state) {
    case 'not-asked':
      return 'The rules are applied once more before it runs. You approve this one action and nothing like it later.';
    case 'asking':
      return (
        <>
          <Loader size="xs" mr="xs" />
          Asking what the rules say at this moment. They are applied once more before it runs.
        </>
      );
    case 'unknown':
      return 'What the rules say at this moment is not known. They are applied once more before it runs. You approve this one action and nothing like it later.';
    case 'known':
      return live.judged.outcome === 'refused' ? (
        <>
          The rules would refuse it (<AsOf at={live.judged.at} />
          ). If you approve it, it cannot be approved later.
        </>
      ) : (
        <>
          The rules would let it through (<AsOf at={live.judged.at} />
          ). They are applied once more before it runs. You approve this one action and nothing like it later.
        </>
      );
  }
}
