/** A campaign of a card, with its name where the console knows it. */
export interface CampaignKnown {
  readonly campaignId: string;
  readonly name?: string | undefined;
}

/** What a limit counts, in the words of the page: "spend:campaign:c-1:2026-11-21" is the spend of a campaign on a day. */
export function ledgerWords(ledger: string, campaigns: readonly CampaignKnown[] = []): string {
  const [family = '', first = '', ...others] = ledger.split(':');
  switch (family) {
    case 'touch':
      return 'Messages to this person';
    case 'message':
      return 'This message to this person';
    case 'sends':
      return `Messages of ${first} in an hour`;
    case 'actions':
      return others.length > 0 ? `Actions of ${first} for ${others.join(':')}` : `Actions of ${first}`;
    case 'spend': {
      const [id = '', period = ''] = others;
      const known = first === 'campaign' ? campaigns.find(({ campaignId }) => campaignId === id)?.name : undefined;
      return `Spend of the ${first.replaceAll('-', ' ')} ${known ?? id}${period && ` ${/^\d{4}-\d{2}$/.test(period) ? 'in' : 'on'} ${period}`}`;
    }
    default:
      return ledger;
  }
}
