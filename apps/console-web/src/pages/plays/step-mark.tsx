import {
  IconAlertTriangle,
  IconCheck,
  IconCircleDashed,
  IconClock,
  IconPlayerPlay,
  IconPlayerStop,
  IconX,
  type TablerIcon,
} from '@tabler/icons-react';
import type { StepState } from './track.js';

const icons: Readonly<Record<StepState, TablerIcon>> = {
  done: IconCheck,
  here: IconPlayerPlay,
  waits: IconClock,
  late: IconAlertTriangle,
  failed: IconX,
  ended: IconPlayerStop,
  ahead: IconCircleDashed,
};
/** The state of a step in one or two words. */
export const stateWords: Readonly<Record<StepState, string>> = {
  done: 'done',
  here: 'under way',
  waits: 'waits',
  late: 'late',
  failed: 'failed',
  ended: 'ended here',
  ahead: 'not reached',
};

/** The mark of a step of a run. Words beside it give the state too. */
export function StepMark({ state, small = false }: { readonly state: StepState; readonly small?: boolean }) {
  const Icon = icons[state];
  return (
    <span className={small ? 'step-mark small' : 'step-mark'} data-state={state}>
      <Icon size={small ? 14 : 18} aria-hidden />
    </span>
  );
}
