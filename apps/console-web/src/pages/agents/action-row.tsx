import { Badge } from '@mantine/core';
import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconCheck,
  IconClock,
  IconHourglass,
  IconSend,
  IconX,
  type TablerIcon,
} from '@tabler/icons-react';
import { capital } from '../../parts/capital.js';
import { Id } from '../../parts/id.js';
import { actionText } from '../../parts/named.js';
import { PageLink, reviewPath, storyPath } from '../../parts/page-link.js';
import { useNow } from '../../parts/use-now.js';
import { When } from '../../parts/when.js';
import type { Proposed } from './agents.queries.js';

const states: Readonly<Record<Proposed['state'], readonly [string, string, TablerIcon]>> = {
  proposed: ['not judged yet', 'gray', IconHourglass],
  waiting: ['waits for a person', 'orange', IconClock],
  approved: ['approved, not run yet', 'blue', IconSend],
  refused: ['refused', 'red', IconX],
  executed: ['done', 'green', IconCheck],
  failed: ['failed', 'red', IconAlertTriangle],
  expired: ['expired, not run', 'gray', IconX],
  unresolved: ['nobody knows whether it ran', 'orange', IconAlertTriangle],
  undone: ['undone', 'gray', IconArrowBackUp],
};

/** One action: what it does, its outcome with the reason, and a link to its story. */
export const actionRow = (action: Proposed) => <ActionRow action={action} />;

function ActionRow({ action }: { readonly action: Proposed }) {
  const [word, color, Icon] = states[action.state];
  const now = useNow(60_000);
  const detail = actionText(action.detail, action, now);
  const asked = action.state === 'waiting' ? 'Answer it' : 'Its review';
  return (
    <>
      <div className="row-line apart">
        <div className="row-line">
          <Badge color={color} variant="light" tt="none" leftSection={<Icon size={12} aria-hidden />}>
            {word}
          </Badge>
          {action.edited && (
            <Badge color="grape" variant="light" tt="none">
              changed by a person
            </Badge>
          )}
          <p className="row-note">
            <When at={action.since} />
          </p>
        </div>
        <p className="row-note">
          proposed <When at={action.at} />
        </p>
      </div>
      <p className="row-text words">{capital(detail)}</p>
      {action.reason !== null && <p className="row-note words">{capital(actionText(action.reason, action, now))}</p>}
      <div className="row-line row-links">
        <PageLink to={storyPath(action.proposalId)} size="sm" aria-label={`Its story: ${detail}`}>
          Its story
        </PageLink>
        {action.asked && (
          <PageLink to={reviewPath(action.proposalId)} size="sm" aria-label={`${asked}: ${detail}`}>
            {asked}
          </PageLink>
        )}
        <Id id={action.proposalId} label="id of the proposal" />
      </div>
    </>
  );
}
