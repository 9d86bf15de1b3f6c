import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconBan,
  IconCheck,
  IconCircleCheck,
  IconClockX,
  IconEdit,
  IconHourglass,
  IconProgress,
  IconQuestionMark,
} from '@tabler/icons-react';

/** The state of a story, in words. Colour is never the only sign. */
export const outcomes = {
  proposed: { words: 'Proposed, not judged yet', color: 'gray', Icon: IconProgress },
  escalated: { words: 'Waits for a person', color: 'yellow', Icon: IconHourglass },
  superseded: { words: 'Replaced by an edit', color: 'gray', Icon: IconEdit },
  approved: { words: 'Approved, not run yet', color: 'blue', Icon: IconCheck },
  refused: { words: 'Refused', color: 'red', Icon: IconBan },
  executed: { words: 'Done', color: 'green', Icon: IconCircleCheck },
  failed: { words: 'Failed', color: 'red', Icon: IconAlertTriangle },
  expired: { words: 'Expired before it ran', color: 'orange', Icon: IconClockX },
  unresolved: { words: 'Nobody knows whether it ran', color: 'orange', Icon: IconQuestionMark },
  undone: { words: 'Undone', color: 'gray', Icon: IconArrowBackUp },
} as const;
export type Outcome = keyof typeof outcomes;
export const isOutcome = (text: unknown): text is Outcome => typeof text === 'string' && Object.hasOwn(outcomes, text);

/** The question that a reason answers. */
export const reasonWords: Readonly<Partial<Record<Outcome, string>>> = {
  refused: 'Why it was refused',
  escalated: 'Why a person is asked',
  failed: 'Why it failed',
  expired: 'Why it did not run',
  unresolved: 'What is known',
  undone: 'Why it was undone',
};
