import { type Charter, money, type Play, settingKinds, type TaskSettings } from '@countersign/contracts';
import { count, kindWords, lasting, list } from './kind-words.js';

type Setting = string | number | boolean;

/** One step of a play, as it is drawn. */
export interface Step {
  readonly kind: 'trigger' | 'cool-down' | 'checkpoint' | 'task' | 'proposals';
  readonly title: string;
  readonly lines: readonly string[];
  /** The agent that gets the task. */
  readonly agent?: string;
}

/** A play in plain words, from its trigger to the proposals that come of it. The charters give the currency of its agents. */
export function playSteps(play: Play, charters: readonly Pick<Charter, 'agent' | 'currency'>[]): Step[] {
  const { checkpoint } = play;
  return [
    { kind: 'trigger', title: 'It starts when', lines: [triggerWords(play, charters), freshWords(play)] },
    { kind: 'cool-down', title: 'It holds back', lines: [coolDownWords(play)] },
    ...(checkpoint
      ? [
          {
            kind: 'checkpoint' as const,
            title: 'A person agrees first',
            lines: [
              `${list(checkpoint.reviewers, 'or')} has ${lasting(checkpoint.withinMinutes * 60)} to answer. Without an answer no task goes out.`,
            ],
          },
        ]
      : []),
    ...play.tasks.map(
      (task): Step => ({
        kind: 'task',
        title: task.purpose,
        agent: task.agent,
        lines: [
          `${task.agent} may ${list(task.kinds.map(kindWords), 'or')}.`,
          `It has ${lasting(task.dueInMinutes * 60)}.`,
          ...Object.entries(task.settings ?? {}).map(([name, value]) => settingWords(name, value)),
        ],
      }),
    ),
    {
      kind: 'proposals',
      title: 'Each proposal is judged',
      lines: ['The rules approve it, refuse it, or ask a person. What is approved is carried out.'],
    },
  ];
}

/** What starts a play. Exhaustive: a new pattern needs its words here. */
export function triggerWords(
  { trigger, tasks }: Pick<Play, 'trigger' | 'tasks'>,
  charters: readonly Pick<Charter, 'agent' | 'currency'>[],
): string {
  switch (trigger.pattern) {
    case 'distinct-contacts': {
      const { signal, where, account, contacts, withinDays } = trigger;
      const facts = conditions(where);
      const accounts = conditions(account);
      return `${count(contacts, 'contact')} of one account${accounts === '' ? '' : ` (${accounts})`} are each in a signal '${spaced(signal)}'${facts === '' ? '' : ` (${facts})`} within ${count(withinDays, 'day')}.`;
    }
    case 'return-below-floor': {
      const { signal, floorPercent, withinDays, minimumSpendMinor } = trigger;
      return `a campaign earns less than ${floorPercent} % of what it spent over ${count(withinDays, 'day')}, by the signal ${spaced(signal)}. If the campaign itself reports a floor, that one counts. If it spent less than ${spend(minimumSpendMinor, currenciesOf(tasks, charters))} in this time, the play does not start: so little is not enough to judge by.`;
    }
  }
}

/** An agent may act only in the currency of its charter. */
const currenciesOf = (tasks: Play['tasks'], charters: readonly Pick<Charter, 'agent' | 'currency'>[]): string[] => [
  ...new Set(
    charters.filter(({ agent }) => tasks.some((task) => task.agent === agent)).map(({ currency }) => currency),
  ),
];

/** The trigger has a number of the smallest units of the campaign's currency, whatever that is. */
const spend = (minor: number, currencies: readonly string[]): string =>
  currencies.length === 0
    ? `${count(minor, 'smallest unit')} of its currency, such as cents,`
    : list(
        currencies.map((currency) => money(minor, currency)),
        'or',
      );

const freshWords = ({ freshWithinDays }: Play): string =>
  `Signals that are older than ${count(freshWithinDays, 'day')} when they arrive start nothing.`;
const coolDownWords = ({ coolDownDays }: Play): string =>
  coolDownDays === 0
    ? 'There is no cool-down: it can start again at once.'
    : `After a run it starts again for the same account or campaign only when ${count(coolDownDays, 'day')} have passed.`;

const conditions = (asked: Readonly<Record<string, unknown>>): string =>
  list(
    Object.entries(asked).map(
      ([name, value]) => `${name} is ${Array.isArray(value) ? list(value.map(String), 'or') : String(value)}`,
    ),
  );
/** `ContentEngaged` as words. */
const spaced = (name: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();

/** Exhaustive: a new setting of our planners needs its words here. */
const settings: Readonly<Record<keyof TaskSettings, (value: Setting) => string>> = {
  adAccountId: (value) => `It acts in the ad account ${value}.`,
  campaignId: (value) => `It acts on the campaign ${value}.`,
  bidStepPercent: (value) => `It changes a bid by ${value} % at a time.`,
  shiftPercent: (value) => `It moves ${value} % of a daily budget at a time.`,
  pauseBelowShare: (value) => `It pauses a campaign that earns less than ${value} % of its floor.`,
  windowDays: (value) => `It looks at ${count(Number(value), 'day')}.`,
  floorPercent: (value) => `The floor is ${value} %.`,
  creativeId: (value) => `It publishes the creative ${value}.`,
  url: (value) => `The advertisement leads to ${value}.`,
  sequence: (value) => `It enrols contacts in the sequence ${value}.`,
  sendAheadSeconds: (value) =>
    `It proposes a message ${lasting(Number(value))} before it is sent: until then a withdrawal still stops it.`,
  ownerTaskHours: (value) => `A CRM task is due in ${lasting(Number(value) * 3_600)}.`,
  template: (value) => `It sends the template ${value}.`,
  purpose: (value) => `It needs the consent for ${value}.`,
};

/** Agents that run elsewhere have their own settings. */
const settingWords = (name: string, value: Setting): string =>
  Object.hasOwn(settingKinds, name) ? settings[name as keyof TaskSettings](value) : `${name}: ${String(value)}`;
