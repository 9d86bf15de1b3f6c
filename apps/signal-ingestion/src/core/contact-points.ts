import { type OpenedContactPoints, readAddress } from '@countersign/contracts';
import { consentFacts, protects } from './consents.js';
import type { Signal } from './signal.js';

/** The contact points in a signal, without the account's name, which comes from the account's profile. */
type StatedPoints = Omit<OpenedContactPoints, 'accountName'>;
type Field = keyof StatedPoints;

/** Name, address and phone of a contact, each with the time of its signal, and the account of the contact. */
export interface Points {
  readonly fields: { readonly [F in Field]?: { readonly value: string; readonly at: string } };
  readonly accountId?: string;
  readonly accountName?: string;
}

/**
 * The contact points of a signal. A form and a CRM's upsert give all of theirs. Other signals give an address, but not if they
 * take a permission away.
 */
export function pointsOf(signal: Signal): StatedPoints {
  const given = 'contact' in signal.data ? signal.data.contact?.email : undefined;
  const email = given === undefined ? undefined : readAddress(given)?.address;
  const address = email === undefined ? {} : { email };
  if (signal.type === 'FormSubmitted' || signal.type === 'ContactUpserted') {
    return { ...signal.data.person, ...address } as StatedPoints;
  }
  return protects(consentFacts(signal)) ? {} : address;
}

/** Points after a signal; for each field the later value. */
export function pointsAfter(before: Points, stated: StatedPoints, at: string): Points {
  const news = Object.entries(stated).filter(([name]) => (before.fields[name as Field]?.at ?? '') <= at);
  if (news.length === 0) return before;
  return {
    ...before,
    fields: { ...before.fields, ...Object.fromEntries(news.map(([n, value]) => [n, { value, at }])) },
  };
}

/**
 * Points of one person who was known as two contacts; for each field the later value. The account is that of the first contact.
 */
export function joinedPoints(first: Points, other: Points): Points {
  let points = first;
  for (const [name, field] of Object.entries(other.fields)) {
    points = pointsAfter(points, { [name]: field.value }, field.at);
  }
  return points;
}

/** Points of a contact of an account. An unknown name of the account leaves the name as it is. */
export function belonging(points: Points, accountId: string, accountName: string | undefined): Points {
  const name = accountName ?? (points.accountId === accountId ? points.accountName : undefined);
  if (points.accountId === accountId && points.accountName === name) return points;
  const { accountName: _left, ...rest } = points;
  return { ...rest, accountId, ...(name !== undefined && { accountName: name }) };
}

/** The points as executors open them; null if there is no name and no way to reach the contact. */
export function openedPoints({ fields, accountName }: Points): OpenedContactPoints | null {
  const opened = Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value]));
  if (Object.keys(opened).length === 0) return null;
  return { ...opened, ...(accountName !== undefined && { accountName }) };
}

/** Whether executors would open different content. A newer date alone is no reason to seal again. */
export const opensOtherwise = (before: Points | undefined, after: Points): boolean =>
  JSON.stringify(before ? openedPoints(before) : null) !== JSON.stringify(openedPoints(after));
