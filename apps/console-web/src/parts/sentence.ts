import { capital } from './capital.js';
import { money } from './money.js';

/** What is known of a person whom an action concerns; never a name. */
export interface PersonKnown {
  readonly seniority: string;
  readonly jobFunction?: string | undefined;
  readonly accountName?: string | undefined;
}

const chiefs: Readonly<Record<string, string>> = {
  finance: 'CFO',
  marketing: 'CMO',
  technology: 'CTO',
  operations: 'COO',
};
const ranks: Readonly<Record<string, string>> = {
  'c-suite': 'executive',
  vp: 'vice president',
  director: 'director',
  manager: 'manager',
  individual: 'specialist',
};

/** "the CFO of Lumen Health", "a director (sales) of Acme", "a contact". */
export function personWords({ seniority, jobFunction, accountName }: PersonKnown): string {
  const work = jobFunction?.trim().toLowerCase();
  const at = accountName ? ` of ${accountName}` : '';
  const chief = seniority === 'c-suite' && work !== undefined && Object.hasOwn(chiefs, work) ? chiefs[work] : undefined;
  if (chief !== undefined) return `the ${chief}${at}`;
  const rank = Object.hasOwn(ranks, seniority) ? ranks[seniority] : undefined;
  const words = rank === undefined ? 'a contact' : `${rank === 'executive' ? 'an' : 'a'} ${rank}`;
  return `${words}${jobFunction ? ` (${jobFunction})` : ''}${at}`;
}

export interface CampaignKnown {
  readonly campaignId: string;
  readonly name?: string | undefined;
}
interface ActionShown {
  readonly detail: string;
  readonly action: { readonly kind: string; readonly payload: Readonly<Record<string, unknown>> };
  readonly facts: { readonly people: readonly PersonKnown[]; readonly campaigns: readonly CampaignKnown[] };
}
interface CheckpointShown {
  readonly detail: string;
  readonly play: { readonly title: string };
  readonly facts: {
    readonly tasks: readonly unknown[];
    readonly account: string | null;
    readonly campaignId: string | null;
    readonly campaigns: readonly CampaignKnown[];
  };
}
export type Shown = ActionShown | CheckpointShown;

export const campaignName = (campaigns: readonly CampaignKnown[], id: unknown): string =>
  campaigns.find(({ campaignId }) => campaignId === id)?.name ?? String(id);

/** What an action or a checkpoint does, in one sentence, from facts alone. If its kind is unknown, this is the console's own sentence. */
export function sentence(shown: Shown): string {
  if (!('action' in shown)) {
    const { tasks, account, campaignId, campaigns } = shown.facts;
    const subject = account ?? (campaignId === null ? null : campaignName(campaigns, campaignId));
    const count = tasks.length === 1 ? 'one task' : `${tasks.length} tasks`;
    return `Let the play “${shown.play.title}” go on${subject === null ? '' : ` for ${subject}`} with ${count}`;
  }
  const { action, facts } = shown;
  const { payload } = action;
  const campaign = (id: unknown): string => campaignName(facts.campaigns, id);
  const amount = (minor: unknown): string => money(Number(minor), String(payload.currency));
  const person = facts.people[0] ? personWords(facts.people[0]) : 'a contact';
  switch (action.kind) {
    case 'email.send':
      return `Send “${withAccount(readable(String(payload.subject)), facts.people)}” to ${person}`;
    case 'ads.shift_budget':
      return `Move ${amount(payload.amountMinor)} a day from ${campaign(payload.fromCampaignId)} to ${campaign(payload.toCampaignId)}`;
    case 'ads.set_bid':
      return `Set the bid of ${campaign(payload.campaignId)} to ${amount(payload.bidMinor)}`;
    case 'ads.pause_campaign':
      return `Pause ${campaign(payload.campaignId)}`;
    case 'ads.resume_campaign':
      return `Resume ${campaign(payload.campaignId)} with ${amount(payload.dailyBudgetMinor)} a day`;
    case 'ads.publish_creative':
      return `Publish the advertisement “${String(payload.headline)}” in ${campaign(payload.campaignId)}`;
    case 'sequence.enroll':
      return `Enrol ${person} in the sequence ${String(payload.sequenceId)}`;
    case 'sequence.stop':
      return `Stop the sequence ${String(payload.sequenceId)} for ${person}`;
    case 'crm.create_task':
      return `Create the CRM task “${String(payload.title)}”`;
    default:
      return capital(shown.detail);
  }
}

/** What the approve button does: "Approve and send". */
export function actWords(shown: Shown): string {
  if (!('action' in shown))
    return shown.facts.tasks.length === 1 ? 'start the task' : `start ${shown.facts.tasks.length} tasks`;
  const { kind, payload } = shown.action;
  switch (kind) {
    case 'email.send':
      return 'send';
    case 'ads.shift_budget':
      return `move ${money(Number(payload.amountMinor), String(payload.currency))}`;
    case 'ads.set_bid':
      return 'set the bid';
    case 'ads.pause_campaign':
      return 'pause it';
    case 'ads.resume_campaign':
      return 'resume it';
    case 'ads.publish_creative':
      return 'publish';
    case 'sequence.enroll':
      return 'enrol';
    case 'sequence.stop':
      return 'stop the sequence';
    case 'crm.create_task':
      return 'create the task';
    default:
      return 'run it';
  }
}

/** A text with placeholders, as pieces. "{{contact.firstName}}" is one piece, and is shown as "contact first name". */
export function pieces(text: string): { readonly text: string; readonly placeholder: boolean }[] {
  return text
    .split(/(\{\{[^{}]{1,80}\}\})/)
    .filter((piece) => piece !== '')
    .map((piece) =>
      /^\{\{[^{}]+\}\}$/.test(piece)
        ? { text: placeholderWords(piece.slice(2, -2)), placeholder: true }
        : { text: piece, placeholder: false },
    );
}

const placeholderWords = (name: string): string =>
  name
    .trim()
    .replace(/\./g, ' ')
    .replace(/([a-z])([A-Z])/g, (_all, before: string, after: string) => `${before} ${after.toLowerCase()}`);

/** "The guide for [account name]" with the name, if all of these people are of one account. The placeholder is of that account. */
export function withAccount(
  text: string,
  people: readonly { readonly accountName?: string | null | undefined }[],
): string {
  const [name, ...others] = new Set(people.map(({ accountName }) => accountName));
  return name === undefined || name === null || others.length > 0
    ? text
    : text.replaceAll('[account name]', () => name);
}

const readable = (text: string): string =>
  pieces(text)
    .map((piece) => (piece.placeholder ? `[${piece.text}]` : piece.text))
    .join('');
