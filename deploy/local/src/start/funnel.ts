import type { Observed } from './observe.js';

/** How many of everything there has been: from signals to settled effects. */
export interface Funnel {
  accepted: number;
  rejected: number;
  /** Signals received again under a known id; also rejected, but nothing is wrong with them. */
  duplicates: number;
  tasks: number;
  proposals: number;
  approved: number;
  refused: number;
  escalated: number;
  settled: Record<string, number>;
  /** Permits that have not ended yet, or whose end is unknown. */
  underWay: number;
  deadLetters: number;
}

export const emptyFunnel = (): Funnel => ({
  accepted: 0,
  rejected: 0,
  duplicates: 0,
  tasks: 0,
  proposals: 0,
  approved: 0,
  refused: 0,
  escalated: 0,
  settled: {},
  underWay: 0,
  deadLetters: 0,
});

/** Counts one event, each id once. */
export function counter(): { count(event: Observed): void; readonly funnel: Funnel } {
  const funnel = emptyFunnel();
  const seen = new Set<string>();
  const open = new Set<unknown>();
  const ended = new Set<unknown>();
  return {
    funnel,
    count: (event) => {
      const name = `${event.source} ${event.id}`;
      if (seen.has(name)) return;
      seen.add(name);
      switch (event.type) {
        case 'SignalAccepted':
          funnel.accepted++;
          break;
        case 'SignalRejected':
          if (isDuplicate(event.data)) funnel.duplicates++;
          else funnel.rejected++;
          break;
        case 'TaskAssigned':
          funnel.tasks++;
          break;
        case 'ActionProposed':
          funnel.proposals++;
          break;
        case 'ActionApproved':
          funnel.approved++;
          if (!ended.has(event.data.permitId)) open.add(event.data.permitId);
          funnel.underWay = open.size;
          break;
        case 'ActionRefused':
          funnel.refused++;
          break;
        case 'ActionEscalated':
          funnel.escalated++;
          break;
        case 'ActionSettled': {
          const outcome = String(event.data.outcome);
          // Topics have no common order: an end may be read before its approval.
          if (outcome !== 'unresolved') {
            ended.add(event.data.permitId);
            open.delete(event.data.permitId);
            funnel.underWay = open.size;
          }
          funnel.settled[outcome] = (funnel.settled[outcome] ?? 0) + 1;
          break;
        }
        case 'DeadLetter':
          funnel.deadLetters++;
          break;
        default:
      }
    },
  };
}

/** The funnel as one line: `signals 812 accepted, 9 rejected → tasks 14 → …`. */
export function line(funnel: Funnel): string {
  const settled = Object.entries(funnel.settled).sort(([a], [b]) => a.localeCompare(b, 'en'));
  const total = settled.reduce((sum, [, n]) => sum + n, 0);
  const detail = settled.length > 0 ? ` (${settled.map(([outcome, n]) => `${n} ${outcome}`).join(', ')})` : '';
  const dead = funnel.deadLetters > 0 ? `  [${funnel.deadLetters} dead letters]` : '';
  return [
    `signals ${funnel.accepted} accepted, ${funnel.rejected} rejected${funnel.duplicates > 0 ? `, ${funnel.duplicates} duplicates` : ''}`,
    `tasks ${funnel.tasks}`,
    `proposals ${funnel.proposals}`,
    `${funnel.approved} approved, ${funnel.refused} refused, ${funnel.escalated} escalated`,
    `settled ${total}${detail}${funnel.underWay > 0 ? `, ${funnel.underWay} under way` : ''}${dead}`,
  ].join(' → ');
}

const isDuplicate = (data: Record<string, unknown>): boolean =>
  (data.reasons as { code?: string }[] | undefined)?.[0]?.code === 'duplicate';
