import { money, own } from '@countersign/contracts';

/** `a`, `a and b`, `a, b and c`. */
export const listed = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

/** `dailyBudgetMinor` → `daily budget`. */
const words = (name: string): string =>
  name
    .replace(/Minor$/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase();

function valueText(name: string, value: unknown, currency: unknown): string {
  if (typeof value === 'number' && name.endsWith('Minor') && typeof currency === 'string')
    return money(value, currency);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : JSON.stringify(value);
}

/** Facts as `name value, name value`, the long ones cut. */
export function factsText(facts: Readonly<Record<string, unknown>>): string {
  return Object.entries(facts)
    .filter(([name]) => name !== 'currency')
    .map(([name, value]) => `${words(name)} ${valueText(name, value, facts.currency).slice(0, 120)}`)
    .join(', ');
}

/**
 * What an effect changed: `daily budget EUR 50.00, before EUR 40.00`. A value that only one side has is given for that side
 * alone.
 */
export function changeText(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): string {
  const currency = after.currency ?? before.currency;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => name !== 'currency')
    .map((name) => {
      const [was, now] = [before, after].map((side) => {
        const value = own(side, name);
        return value === undefined ? undefined : valueText(name, value, currency).slice(0, 120);
      });
      if (now === undefined) return `${words(name)} before: ${was}`;
      return was === undefined || was === now ? `${words(name)} ${now}` : `${words(name)} ${now}, before ${was}`;
    })
    .join('; ');
}
