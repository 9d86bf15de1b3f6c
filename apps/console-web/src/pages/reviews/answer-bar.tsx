import { Button, Group, Text } from '@mantine/core';
import { IconCheck, IconPencil, IconX } from '@tabler/icons-react';
import { actWords } from '../../parts/sentence.js';
import { clock } from '../../parts/times.js';
import { useNow } from '../../parts/use-now.js';
import { IfApproved } from './live-verdict.js';
import type { Review } from './reviews.queries.js';
import type { LiveVerdict } from './verdict-words.js';

interface Props {
  readonly card: Review;
  readonly sending: boolean;
  /** What an approval comes to while something holds it back. */
  readonly held: string | undefined;
  /** Whether an approval would be lost at this moment. */
  readonly lost: boolean;
  readonly live: LiveVerdict;
  readonly onApprove: () => void;
  readonly onEdit: (() => void) | undefined;
  readonly onReject: () => void;
}

/** The buttons for the answers. Each button says what happens. */
export function AnswerBar({ card, sending, held, lost, live, onApprove, onEdit, onReject }: Props) {
  const now = useNow(15_000);
  const runsAt = card.subject === 'proposal' ? card.runsAt : null;
  const start = runsAt !== null && Date.parse(runsAt) > now ? `at ${clock(runsAt, now)}` : 'now';
  return (
    <div>
      <Group gap="xs">
        <Button
          id="approve"
          variant={lost ? 'default' : 'filled'}
          leftSection={<IconCheck size={18} aria-hidden />}
          onClick={onApprove}
          loading={sending}
          className="grow"
        >
          {lost ? 'Approve all the same' : `Approve and ${actWords(card)} ${start}`}
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
      <Text size="sm" mt={4} className="under-buttons" {...(held === undefined ? { c: 'dimmed' } : { fw: 600 })}>
        {sending ? (
          <span role="status">Your answer is on its way. Waiting for the console to confirm that it arrived.</span>
        ) : held !== undefined ? (
          held
        ) : card.subject === 'proposal' ? (
          <IfApproved live={live} />
        ) : (
          card.approving
        )}
      </Text>
    </div>
  );
}
