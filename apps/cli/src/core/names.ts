import type { CampaignKnown } from './ledger.js';

/** A name with the id behind it, since a command takes the id; the id alone if no name is known. */
export const nameAndId = (id: string, name: string | null | undefined): string =>
  name === undefined || name === null || name === id ? id : `${name} (${id})`;

/** A text of the console in which each campaign has its name before its id. An id is found only as a whole. */
export function withNames(text: string, campaigns: readonly CampaignKnown[] = []): string {
  const names = new Map(campaigns.flatMap(({ campaignId, name }) => (name === undefined ? [] : [[campaignId, name]])));
  if (names.size === 0) return text;
  const ids = [...names.keys()].sort((a, b) => b.length - a.length).map(literally);
  const whole = new RegExp(`(?<![\\p{L}\\p{N}_.-])(?:${ids.join('|')})(?![.-]?[\\p{L}\\p{N}_])(?!-)`, 'gu');
  return text.replace(whole, (id) => nameAndId(id, names.get(id)));
}

const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
