import {
  type Charter,
  defaultActionsPerHour,
  defaultReviewsWaiting,
  money,
  own,
  type PolicyContent,
  type Rules,
  signersOf,
  type TextRules,
  type Tier,
  tierOf,
  tiers,
  type Weekday,
} from '@countersign/contracts';
import { count, kindWords, lasting, list, otherKinds, tierWords } from './kind-words.js';
import { textLines } from './text-words.js';

export interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}
type LinesOf<T> = { readonly [member in keyof T]-?: (all: T) => readonly string[] };

/**
 * A charter in plain words, with the plays that use it and the rules for every agent. It shows every setting: a new member of the
 * charter or of the rules does not compile until it has its words here.
 */
export function charterWords(
  charter: Charter,
  { plays, rules, rates }: Pick<PolicyContent, 'plays' | 'rules' | 'rates'>,
): Section[] {
  const { agent, owner, reviewers, signers, reviewWithinMinutes, kinds, firstReviewed, currency, timeZone } =
    charterLines(rates);
  const { prohibitedKinds, ...others } = ruleLines;
  const ofTexts = charter.texts ? textLines(charter.texts) : [];
  return [
    { title: 'What it is for', lines: purposes(charter, plays) },
    {
      title: 'Who is responsible',
      lines: [agent, owner, reviewers, signers, reviewWithinMinutes].flatMap((linesOf) => linesOf(charter)),
    },
    { title: 'What it may do', lines: [...kinds(charter), ...firstReviewed(charter)] },
    { title: 'What it may not do', lines: [forbidden(charter), ...prohibitedKinds(rules)] },
    { title: 'Its limits', lines: [...limits(charter), ...currency(charter), ...timeZone(charter)] },
    ...(ofTexts.length > 0
      ? [{ title: 'What its texts may say, beside the rules for every agent', lines: ofTexts }]
      : []),
    {
      title: 'Rules for every agent',
      lines: [...Object.values(others).flatMap((linesOf) => linesOf(rules)), ...textLines(rules)],
    },
  ];
}

function purposes({ agent }: Charter, plays: PolicyContent['plays']): string[] {
  const found = plays.flatMap(({ title, tasks }) =>
    tasks.filter((task) => task.agent === agent).map(({ purpose }) => `${purpose} (play ${title}).`),
  );
  return found.length > 0 ? found : ['No play gives it work: it proposes nothing until one does.'];
}

const forbidden = ({ kinds }: Charter): string => {
  const others = otherKinds(kinds);
  return others.length === 0
    ? 'No kind of action is closed to it.'
    : `It may not ${list(others.map(kindWords), 'or')}. Such a proposal is refused.`;
};

/** `limits` and `texts` have their own words; see `limitLines` and `textLines`. */
const charterLines = (rates: PolicyContent['rates']): Omit<LinesOf<Charter>, 'limits' | 'texts'> => ({
  agent: ({ agent }) => [`This is the charter of ${agent}. What it does not allow is refused.`],
  owner: ({ owner }) => [`${owner} answers for it.`],
  reviewers: ({ reviewers }) => [`${list(reviewers, 'or')} may answer when a person is asked.`],
  signers: (charter) =>
    Object.values(charter.kinds).includes('approve')
      ? [`${list(signersOf(charter), 'or')} alone may agree to what it only prepares.`]
      : [],
  reviewWithinMinutes: ({ reviewWithinMinutes: minutes }) => [
    `A person has ${lasting(minutes * 60)} to answer. Without an answer the action is refused.`,
  ],
  kinds: ({ kinds }) => {
    const lines = [...tiers].reverse().flatMap((tier) => {
      const words = Object.entries(kinds).flatMap(([kind, given]) => (tierOf(given) === tier ? [kindWords(kind)] : []));
      return words.length > 0 ? [`${own(tierWords, tier)}: ${list(words)}.`] : [];
    });
    return lines.length > 0 ? lines : ['Nothing: every proposal is refused.'];
  },
  firstReviewed: ({ kinds, firstReviewed: n = 0 }) =>
    Object.values(kinds).some((word) => alone.includes(tierOf(word)))
      ? [
          n === 0
            ? 'What it may do on its own, it may do from its first action on.'
            : `What it may do on its own needs a reviewer until people have decided ${count(n, 'action')} of the kind.`,
        ]
      : [],
  currency: ({ currency }) => [
    `Its limits are in ${currency}. ${rates ? ratesWords(rates) : 'An action in another currency is refused.'}`,
  ],
  timeZone: ({ timeZone }) => [`Its days begin at midnight in ${timeZone}.`],
});

const ratesWords = ({ day, maxAgeDays, base, perBase }: NonNullable<PolicyContent['rates']>): string =>
  `An amount in ${list([base, ...Object.keys(perBase)].sort(), 'or')} is compared with them by the exchange rates of ${day}, for ${count(maxAgeDays, 'day')}. An action in any other currency is refused.`;

/** A cap that a charter need not have. */
const optionalCap = (minor: number | undefined, currency: string, named: string): readonly string[] =>
  minor === undefined ? [] : [`At most ${money(minor, currency)} ${named}.`];

/** The tiers at which no person is asked. */
const alone: readonly Tier[] = ['notify', 'auto'];

const limits = (charter: Charter): string[] => Object.values(limitLines).flatMap((linesOf) => linesOf(charter));

const limitLines: { readonly [limit in keyof Charter['limits']]-?: (charter: Charter) => readonly string[] } = {
  campaignSpendPerDayMinor: ({ limits: { campaignSpendPerDayMinor: minor }, currency }) => [
    minor === 0 ? 'It may spend nothing on campaigns.' : `At most ${money(minor, currency)} a day on one campaign.`,
  ],
  adAccountSpendPerDayMinor: ({ limits: { adAccountSpendPerDayMinor: minor }, currency }) => [
    minor === 0 ? 'It may spend nothing in ad accounts.' : `At most ${money(minor, currency)} a day in one ad account.`,
  ],
  campaignSpendPerMonthMinor: ({ limits: { campaignSpendPerMonthMinor: minor }, currency }) =>
    optionalCap(minor, currency, 'a calendar month on one campaign'),
  adAccountSpendPerMonthMinor: ({ limits: { adAccountSpendPerMonthMinor: minor }, currency }) =>
    optionalCap(minor, currency, 'a calendar month in one ad account'),
  agentSpendPerDayMinor: ({ limits: { agentSpendPerDayMinor: minor }, currency }) =>
    optionalCap(minor, currency, 'a day in all, wherever it spends'),
  agentSpendPerMonthMinor: ({ limits: { agentSpendPerMonthMinor: minor }, currency }) =>
    optionalCap(minor, currency, 'a calendar month in all, wherever it spends'),
  sendsPerHour: ({ limits: { sendsPerHour: n } }) => [
    n === 0 ? 'It may send no messages.' : `At most ${count(n, 'message')} within an hour.`,
  ],
  actionsPerHour: ({ limits: { actionsPerHour: n } }) => [
    `At most ${count(n ?? defaultActionsPerHour.agent, 'action')} within an hour${preset(n)}.`,
  ],
  accountActionsPerHour: ({ limits: { accountActionsPerHour: n } }) => [
    `At most ${count(n ?? defaultActionsPerHour.account, 'action')} within an hour for one account${preset(n)}.`,
  ],
  proposalsPerTask: ({ limits: { proposalsPerTask: n } }) => [
    n === undefined
      ? `For one task at most as many proposals as it has contacts, plus five${preset(n)}.`
      : `For one task at most ${count(n, 'proposal')}.`,
  ],
  reviewsWaiting: ({ limits: { reviewsWaiting: n } }) => [
    `At most ${count(n ?? defaultReviewsWaiting, 'action')} may wait for a person at a time${preset(n)}.`,
  ],
  approvalAbovePercent: ({ limits: { approvalAbovePercent: percent } }) => [
    `A change of a budget or a bid by more than ${percent} % needs a person.`,
  ],
  approvalAboveMinor: ({ limits: { approvalAboveMinor: minor }, currency }) => [
    `A change of a budget or a bid by more than ${money(minor, currency)} needs a person.`,
  ],
  approvalAboveAdAccountTotalPerDayMinor: ({ limits: { approvalAboveAdAccountTotalPerDayMinor: minor }, currency }) =>
    minor === undefined
      ? []
      : [
          `A spend that brings the total of an ad account for the day above ${money(minor, currency)} needs a person, whichever agents spent it.`,
        ],
};

const preset = (given: number | undefined): string =>
  given === undefined ? '; the charter does not say, so this is the preset' : '';

const ruleLines: LinesOf<Omit<Rules, keyof TextRules>> = {
  prohibitedKinds: ({ prohibitedKinds }) =>
    prohibitedKinds.length === 0
      ? []
      : [`Nobody may ${list(prohibitedKinds.map(kindWords), 'or')}, whatever a charter allows.`],
  contactFrequency: ({ contactFrequency: { touches, days } }) => [
    `One contact is written to at most ${touches === 1 ? 'once' : count(touches, 'time')} in ${count(days, 'day')}, whichever agent asks.`,
  ],
  sameMessageDays: ({ sameMessageDays }) =>
    sameMessageDays === undefined
      ? []
      : [`Nobody gets the same message again within ${count(sameMessageDays, 'day')}, whichever agent asks.`],
  quietHours: ({ quietHours }) =>
    quietHours
      ? [`Nobody is written to from ${quietHours.from} to ${quietHours.to}, by the clock where the person is.`]
      : [],
  workingDays: ({ workingDays }) =>
    workingDays
      ? [`People are written to only on ${list(workingDays.map(dayWords))}, by the calendar where the person is.`]
      : [],
  firstTouchNeedsPerson: ({ firstTouchNeedsPerson }) => [
    firstTouchNeedsPerson.length === 0
      ? 'A first message needs no person, whoever receives it.'
      : `The first message to people of these ranks needs a person: ${list(firstTouchNeedsPerson.map(rank))}.`,
  ],
  creativeNeedsPerson: ({ creativeNeedsPerson }) => [
    creativeNeedsPerson ? 'A new advertisement needs a person.' : 'A new advertisement needs no person.',
  ],
  permitSeconds: ({ permitSeconds }) => [
    `An approval is good for ${lasting(permitSeconds)}. After that the action does not run and has to be proposed again.`,
  ],
  maxProposalBytes: ({ maxProposalBytes }) => [
    `A proposal of more than ${count(maxProposalBytes, 'byte')} is refused.`,
  ],
};

const days: Readonly<Record<Weekday, string>> = {
  mon: 'Monday',
  tue: 'Tuesday',
  wed: 'Wednesday',
  thu: 'Thursday',
  fri: 'Friday',
  sat: 'Saturday',
  sun: 'Sunday',
};
const dayWords = (day: Weekday): string => own(days, day) ?? day;

type Rank = Rules['firstTouchNeedsPerson'][number];
const ranks: Readonly<Record<Rank, string>> = {
  'c-suite': 'top management',
  vp: 'vice presidents',
  director: 'directors',
  manager: 'managers',
  individual: 'staff',
  unknown: 'people whose rank is not known',
};
const rank = (seniority: Rank): string => own(ranks, seniority) ?? seniority;
