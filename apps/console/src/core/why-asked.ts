import { Currency, Minor, money, Name, own, type Reason } from '@countersign/contracts';

type Figures = NonNullable<Reason['figures']>;

/** The only figures that a message shows: amounts with their currency, and a share. No other member of a reason leaves the console. */
function changeWords(figure: string, { unclear, amountMinor, aboveMinor, abovePercent, currency }: Figures): string {
  if (unclear === true) return `facts are unclear: the present ${figure} is not known`;
  const amount = amountWords(amountMinor, currency);
  const above = amountWords(aboveMinor, currency);
  if (amount === undefined || above === undefined)
    return `the change of the ${figure} is larger than an agent may make`;
  if (Number(amountMinor) > Number(aboveMinor))
    return `a change of the ${figure} by ${amount} is above ${above}, the most without a person`;
  const share = typeof abovePercent === 'number' ? `${abovePercent} %` : 'the share that is allowed';
  return `a change of the ${figure} by ${amount} is more than ${share} of it`;
}

function totalWords({ totalMinor, aboveMinor, currency }: Figures): string {
  const [total, above] = [amountWords(totalMinor, currency), amountWords(aboveMinor, currency)];
  if (total === undefined || above === undefined) return "the day's total of the ad account is large";
  return `with it ${total} are held or spent today on the ad account, above ${above}, the most without a person`;
}

function amountWords(minor: unknown, currency: unknown): string | undefined {
  const [amount, named] = [Minor.safeParse(minor), Currency.safeParse(currency)];
  return amount.success && named.success ? money(amount.data, named.data) : undefined;
}

/**
 * Why a rule asks for a person. A rule's own sentence may name a contact, a seniority, a consent, an address or an owner, so none of it
 * is used. A rule without a line here is only named.
 */
const words: Readonly<Record<string, (figures: Figures) => string>> = {
  task: () => 'facts are unclear: the task does not name everything that the action names',
  account: () => 'facts are unclear: no profile says that it is for this account',
  owner: () => 'facts are unclear: it is for somebody other than the known owner of the account',
  campaign: () => 'facts are unclear: the ad account is not known to have this campaign',
  sequence: () => 'the text of the message is not the text of its step in the sequence',
  purpose: () => 'facts are unclear: the play does not say what the message is for',
  consent: () => 'facts are unclear: sources disagree about a consent',
  'budget-threshold': (figures) => changeWords('daily budget', figures),
  'bid-threshold': (figures) => changeWords('bid', figures),
  'ad-account-total': totalWords,
  'new-creative': () => 'a new creative needs a person',
  'personal-data': () => 'a text has an address, a telephone number or an id of a person',
  claims: () => 'a text makes a claim without its evidence',
  'first-touch': () => 'a first message of this kind needs a person',
  'facts-behind': () => 'facts are unclear: it was made from newer facts than the validator has',
  lineage: ({ lineage }) =>
    lineage === null ? 'it does not say what it was made from' : 'text from outside had a part in it',
  tier: ({ tier, by }) => {
    if (by === 'first-reviewed') return 'people decide the first actions of this kind by this agent';
    return tier === 'approve'
      ? 'the agent only prepares this kind: a signer must agree to each'
      : 'the agent only suggests this kind: a person answers each';
  },
  review: () => 'the answer that was given does not count for this action',
};

/** Why a person is asked, one sentence for each rule that escalates. No sentence can hold anything about a person. */
export const whyAsked = (reasons: readonly Reason[]): string[] => [
  ...new Set(
    reasons
      .filter(({ outcome }) => outcome === 'escalate')
      .map(({ rule, figures = {} }) => own(words, rule)?.(figures) ?? `the rule ${nameOf(rule)} asks for a person`),
  ),
];

/** Every rule of ours has a name in kebab-case. */
const nameOf = (rule: string): string => (Name.safeParse(rule).success ? rule : 'that the page names');
