import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleDashed,
  IconHourglass,
  type TablerIcon,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import styles from './standing.module.css';

export type Tone = 'good' | 'bad' | 'waiting' | 'quiet';

const icons: Readonly<Record<Tone, TablerIcon>> = {
  good: IconCircleCheck,
  bad: IconAlertTriangle,
  waiting: IconHourglass,
  quiet: IconCircleDashed,
};

/** The state of something: an icon and words. The colour only repeats them. */
export function Standing({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  const Icon = icons[tone];
  return (
    <span className={`${styles.standing} ${styles[tone]}`}>
      <Icon size={16} aria-hidden />
      <span>{children}</span>
    </span>
  );
}
