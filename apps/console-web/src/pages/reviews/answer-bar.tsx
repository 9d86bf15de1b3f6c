import { Button, Group, Text } from '@mantine/core';
import { IconCheck, IconPencil, IconRefresh, IconX } from '@tabler/icons-react';
import { actWords } from '../../parts/sentence.js';
import { clock } from '../../parts/times.js';
import { useNow } from '../../parts/use-now.js';
import { IfApproved } from './live-verdict.js';
import type { Review } from './reviews.queries.js';
import type { LiveVerdict } from './use-live-verdict.js';

interface Props {
  readonly card: Review;
  readonly sending: boolean;
  /** The result of an approval while a stop is in force. */
  readonly stopped: string | undefined;
  readonly live: LiveVerdict;
  readonly onApprove: () => void;
  readonly onEdit: (() => void) | undefined;
  /** Asks for the present verdict of the rules. */
  readonly onAskAgain: (() => void) | undefined;
  readonly asking: boolean;
  readonly onReject: () => void;
}

/** The buttons for the answers. Each button says what happens. */
export function AnswerBar({ card, sending, stopped, live, asking, onApprove, onEdit, onAskAgain, onReject }: Props) {
  const now = useNow(15_000);
  const runsAt = card.subject === 'proposal' ? card.runsAt : null;
  const start = runsAt !== null && Date.parse(runsAt) > now ? `at ${clock(runsAt, now)}` : 'now';
  return (
    <div className="answer-bar">
      <Group gap="xs">
        <Button
          id="approve"
          leftSection={<IconCheck size={18} aria-hidden />}
          onClick={onApprove}
          loading={sending}
          className="grow"
        >
          Approve and {actWords(card)} {start}
        </Button>
        {onEdit && (
          <Button
            variant="default"
            leftSection={<IconPencil size={18} aria-hidden />}
            onClick={onEdit}
            disabled={sending}
          >
            Edit
          </Button>
        )}
        {onAskAgain && (
          <Button
            variant="default"
            leftSection={<IconRefresh size={18} aria-hidden />}
            onClick={onAskAgain}
            loading={asking}
            disabled={sending}
          >
            Ask the rules again
          </Button>
        )}
        <Button
          variant="outline"
          color="red"
          leftSection={<IconX size={18} aria-hidden />}
          onClick={onReject}
          disabled={sending}
        >
          Reject
        </Button>
      </Group>
      <Text size="sm" mt={6} {...(stopped === undefined ? { c: 'dimmed' } : { fw: 600 })}>
        {sending ? (
          <span role="status">Your answer is on its way. Waiting for the console to confirm that it arrived.</span>
        ) : stopped !== undefined ? (
          `Stopped. ${stopped}`
        ) : card.subject === 'proposal' ? (
          <IfApproved live={live} />
        ) : (
          card.approving
        )}
      </Text>
    </div>
  );
}
