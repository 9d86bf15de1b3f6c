import {
  IconActivity,
  IconChecklist,
  IconGavel,
  IconLifebuoy,
  IconPlug,
  IconRobot,
  IconRoute,
  IconUsers,
} from '@tabler/icons-react';

/** The pages in the order of the menu: one line each, with its route in `router.tsx`. */
export const pages = [
  { to: '/', label: 'Now', Icon: IconActivity },
  { to: '/reviews', label: 'Reviews', Icon: IconChecklist },
  { to: '/agents', label: 'Agents', Icon: IconRobot },
  { to: '/plays', label: 'Plays', Icon: IconRoute },
  { to: '/policy', label: 'Policy', Icon: IconGavel },
  { to: '/sources', label: 'Sources', Icon: IconPlug },
  { to: '/people', label: 'People', Icon: IconUsers },
  { to: '/runbook', label: 'Runbook', Icon: IconLifebuoy },
] as const;
