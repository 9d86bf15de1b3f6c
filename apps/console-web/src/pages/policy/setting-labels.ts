import type { Content } from './settings.js';

/** The places of all settings in a part, without the numbers of list entries: `limits.sendsPerHour`, `tasks.agent`. */
type Place<Part> = Part extends readonly (infer Entry)[]
  ? Entry extends object
    ? Place<Entry>
    : ''
  : Part extends object
    ? string extends keyof Part
      ? ''
      : { [Name in keyof Part & string]-?: Joined<Name, Place<NonNullable<Part[Name]>>> }[keyof Part & string]
    : '';
type Joined<Name extends string, Rest extends string> = Rest extends '' ? Name : `${Name}.${Rest}`;

type Labels<Part> = Readonly<Record<Place<Part>, string>>;

/** Settings about texts, which the rules have for every agent, and a charter for its own. */
const texts = {
  bannedTerms: 'Words that no text may have',
  linkHosts: 'Hosts to which links may go',
  'requiredElements.element': 'what a text must have',
  'requiredElements.kinds': 'in these actions',
  'requiredElements.firstMessageOnly': 'only in a first message',
  'requiredElements.anyOf': 'one of these phrases',
  'dataNotice.fromThePerson': 'Sources whose data people gave themselves',
  'dataNotice.senderIdentity': 'Notice: who sends it, one of',
  'dataNotice.purpose': 'Notice: what the data is used for, one of',
  'dataNotice.legalBasis': 'Notice: the legal basis, one of',
  'dataNotice.dataSource': 'Notice: where the data came from, one of',
  'dataNotice.retention': 'Notice: how long the data is stored, one of',
  'dataNotice.rights': 'Notice: the rights of the person, one of',
  'dataNotice.postalAddress': 'Notice: a postal address, one of',
  'dataNotice.wayOut': 'Notice: a way out, one of',
  placeholdersMustFill: 'Placeholders that cannot be filled in are refused',
  'personalData.verdict': 'Personal data in a text: what happens',
  'personalData.ours': 'Addresses and numbers that are our own',
  'claims.claim': 'claim',
  'claims.evidence': 'evidence that it may cite',
} as const satisfies Labels<NonNullable<Content['charters'][number]['texts']>>;

/** The same below a member. */
type Below<Member extends string, L> = { readonly [Name in keyof L & string as `${Member}.${Name}`]: L[Name] };
const below = <Member extends string, L extends Readonly<Record<string, string>>>(member: Member, labelled: L) =>
  Object.fromEntries(Object.entries(labelled).map(([name, label]) => [`${member}.${name}`, label])) as Below<Member, L>;

/** Exhaustive: a new setting of the policy needs its label here. */
const labels: { readonly [Part in keyof Content]-?: Labels<NonNullable<Content[Part]>> } = {
  rules: {
    permitSeconds: 'How long an approval is valid, in seconds',
    'contactFrequency.touches': 'Messages to one contact, at most',
    'contactFrequency.days': 'Within this many days',
    sameMessageDays: 'Not the same message to one contact within this many days',
    'quietHours.from': 'No messages from, by the clock where the person is',
    'quietHours.to': 'No messages until',
    workingDays: 'Messages only on these days',
    firstTouchNeedsPerson: 'Ranks whose first message needs a person',
    prohibitedKinds: 'Actions that nobody may take',
    creativeNeedsPerson: 'A new advertisement needs a person',
    maxProposalBytes: 'Size of a proposal, at most, in bytes',
    ...texts,
  },
  routes: {
    kinds: 'Actions',
    accounts: 'Only for these accounts',
    executor: 'Service that carries them out',
    connector: 'Connection that it uses',
  },
  rates: {
    day: 'Day of the exchange rates',
    maxAgeDays: 'Not used when older, in days',
    base: 'Currency that the rates are for one unit of',
    perBase: 'So much is one unit',
  },
  charters: {
    agent: 'Agent',
    owner: 'Who answers for it',
    reviewers: 'Who may answer its reviews',
    signers: 'Who may answer where it only prepares',
    kinds: 'What it may do',
    firstReviewed: 'Actions of a kind that people decide before it acts alone',
    currency: 'Currency of its limits',
    timeZone: 'Where its days begin',
    'limits.campaignSpendPerDayMinor': 'Spend a day on one campaign, at most',
    'limits.adAccountSpendPerDayMinor': 'Spend a day in one ad account, at most',
    'limits.campaignSpendPerMonthMinor': 'Spend a calendar month on one campaign, at most',
    'limits.adAccountSpendPerMonthMinor': 'Spend a calendar month in one ad account, at most',
    'limits.agentSpendPerDayMinor': 'Spend a day in all, at most',
    'limits.agentSpendPerMonthMinor': 'Spend a calendar month in all, at most',
    'limits.sendsPerHour': 'Messages an hour, at most',
    'limits.actionsPerHour': 'Actions an hour, at most',
    'limits.accountActionsPerHour': 'Actions an hour for one account, at most',
    'limits.proposalsPerTask': 'Proposals for one task, at most',
    'limits.reviewsWaiting': 'Actions that may wait for a person at a time',
    'limits.approvalAbovePercent': 'A change of a budget or bid by more percent needs a person',
    'limits.approvalAboveMinor': 'A change of a budget or bid by more money needs a person',
    'limits.approvalAboveAdAccountTotalPerDayMinor': 'A day’s total of an ad account above which a person is asked',
    reviewWithinMinutes: 'Minutes that a person has to answer',
    ...below('texts', texts),
  },
  plays: {
    id: 'Name in the files',
    title: 'Title',
    freshWithinDays: 'Older signals start nothing, in days',
    'trigger.pattern': 'Pattern that starts it',
    'trigger.signal': 'Signal that it watches',
    'trigger.where': 'The signal has',
    'trigger.account': 'The account has',
    'trigger.contacts': 'Contacts of one account, at least',
    'trigger.withinDays': 'Within this many days',
    'trigger.floorPercent': 'Starts below this return on spend, in percent',
    'trigger.minimumSpendMinor': 'Starts only after this spend',
    coolDownDays: 'Days before it can start again for the same account or campaign',
    'checkpoint.reviewers': 'Who must agree first',
    'checkpoint.withinMinutes': 'Minutes that they have to answer',
    'tasks.agent': 'agent',
    'tasks.purpose': 'purpose',
    'tasks.kinds': 'actions that it may propose',
    'tasks.dueInMinutes': 'minutes that the agent has',
    'tasks.settings': 'for the agent',
  },
  sequences: {
    id: 'Name in the files',
    purpose: 'Consent that each message needs',
    'steps.template': 'template',
    'steps.subject': 'subject',
    'steps.body': 'text',
    'steps.afterSeconds': 'seconds after the enrolment',
  },
};

/** What an entry of a list is called, with the first letter as at the beginning of a label. */
const entries: { readonly [Part in keyof Content]: string } = {
  rules: 'Entry',
  charters: 'Entry',
  routes: 'Route',
  plays: 'Task',
  sequences: 'Step',
};

/** The label of a setting, by its place in a file of this part; undefined if the place is not known. */
export function labelOf(part: keyof Content, path: string): string | undefined {
  const names = path.split('.');
  const number = names.find((name) => /^\d+$/.test(name));
  const place = names.filter((name) => name !== number);
  const known: Readonly<Record<string, string>> = labels[part];
  // The names in a record are the installation's own: `kinds.ads.set_bid`, `trigger.where.topic`.
  const found = place
    .map((_, n) => place.slice(0, place.length - n))
    .find((beginning) => Object.hasOwn(known, beginning.join('.')));
  if (found === undefined) return undefined;
  const label = [known[found.join('.')], ...(found.length < place.length ? [place.slice(found.length).join('.')] : [])];
  return [...(number === undefined ? [] : [`${entries[part]} ${Number(number) + 1}`]), ...label].join(': ');
}

/** The part that a file of the configuration folder belongs to; undefined for another file. */
export function partOf(file: string): keyof Content | undefined {
  const [name = ''] = file.split(/[./]/);
  return Object.hasOwn(labels, name) ? (name as keyof Content) : undefined;
}
