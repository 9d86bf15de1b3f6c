import {
  IconActivity,
  IconChecklist,
  IconGavel,
  IconLifebuoy,
  IconPlug,
  IconRobot,
  IconRoute,
  IconShieldCheck,
  IconTimeline,
  IconUsers,
} from '@tabler/icons-react';

/** The pages in the order of the menu: one line each, with its route in `router.tsx`. */
export const pages = [
  { to: '/', label: 'Now', Icon: IconActivity },
  { to: '/reviews', label: 'Reviews', Icon: IconChecklist },
  { to: '/stories', label: 'Stories', Icon: IconTimeline },
  { to: '/agents', label: 'Agents', Icon: IconRobot },
  { to: '/plays', label: 'Plays', Icon: IconRoute },
  { to: '/policy', label: 'Policy', Icon: IconGavel },
  { to: '/sources', label: 'Sources', Icon: IconPlug },
  { to: '/people', label: 'People', Icon: IconUsers },
  { to: '/record', label: 'Record', Icon: IconShieldCheck },
  { to: '/runbook', label: 'Runbook', Icon: IconLifebuoy },
] as const;
