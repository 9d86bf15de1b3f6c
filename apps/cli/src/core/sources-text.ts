import { clock, count, type Paint, printable, tally, titled } from '@countersign/client/core';
import { contactText } from '@countersign/contracts';

interface Counts {
  readonly accepted: number;
  readonly rejected: number;
}

export interface SourcesList {
  readonly sources: readonly {
    readonly name: string;
    readonly state: 'never' | 'quiet' | 'heard' | 'rejected';
    readonly lastHour: Counts;
    readonly lastDay: Counts;
    readonly rejectedBy: readonly { readonly code: string; readonly n: number }[];
    readonly acceptedAt: string | null;
    readonly rejectedAt: string | null;
  }[];
}

export interface RejectedList {
  readonly rejected: readonly {
    readonly source: string;
    readonly signalId: string | null;
    readonly type: string | null;
    readonly at: string;
    readonly title: string;
    readonly change: string;
    readonly reasons: readonly { readonly detail: string }[];
  }[];
  readonly next: string | null;
}

export interface PeopleList {
  readonly people: readonly PersonFound[];
  readonly next: string | null;
  /** Whether more accounts have a name with this beginning than are looked at. */
  readonly incomplete: boolean;
}
interface PersonFound {
  readonly contactId: string;
  readonly seniority: 'c-suite' | 'vp' | 'director' | 'manager' | 'individual' | 'unknown';
  readonly jobFunction: string | null;
  readonly account: { readonly accountId: string; readonly name: string | null } | null;
}
export interface PersonPage extends PersonFound {
  readonly consents: readonly {
    readonly purpose: string;
    readonly channel: string;
    readonly status: string;
    readonly at: string;
    readonly source: string;
  }[];
  readonly suppressions: readonly { readonly channel: string; readonly reason: string; readonly at: string }[];
}
export interface PersonActions {
  readonly actions: readonly {
    readonly proposalId: string;
    readonly detail: string;
    readonly state: string;
    readonly reasons: readonly { readonly detail: string }[];
    readonly at: string;
  }[];
  readonly next: string | null;
}

export function sourcesText(paint: Paint, given: SourcesList): string {
  return titled(
    paint,
    ['source', 'last hour', 'rejected', 'last day', 'rejected', 'last heard', 'why rejected'],
    printable(given).sources.map((source) => [
      source.name,
      String(source.lastHour.accepted),
      String(source.lastHour.rejected),
      String(source.lastDay.accepted),
      String(source.lastDay.rejected),
      lastHeard(source),
      tally(Object.fromEntries(source.rejectedBy.map(({ code, n }) => [code, n]))),
    ]),
  );
}

function lastHeard({ state, acceptedAt, rejectedAt }: SourcesList['sources'][number]): string {
  const last = [acceptedAt, rejectedAt]
    .filter((at) => at !== null)
    .sort()
    .at(-1);
  if (state === 'never' || last === undefined) return 'nothing heard yet';
  return state === 'quiet' ? `nothing since ${clock(last)}` : clock(last);
}

export function rejectedText(paint: Paint, given: RejectedList): string {
  const { rejected, next } = printable(given);
  if (rejected.length === 0) return paint.green('Nothing was rejected.');
  const blocks = rejected.map(({ at, source, type, signalId, title, reasons, change }) =>
    [
      `${clock(at)}  ${paint.bold(title)}`,
      `  ${type ?? 'a signal'} ${signalId ?? ''} from ${source}`,
      ...reasons.map(({ detail }) => `  ${detail}`),
      `  To change: ${change}`,
    ].join('\n'),
  );
  return [...blocks, ...(next === null ? [] : [paint.dim(`Older ones: --before ${next}`)])].join('\n');
}

const whoIs = ({ contactId, seniority, jobFunction, account }: PersonFound): string =>
  contactText(contactId, {
    seniority,
    jobFunction: jobFunction ?? undefined,
    accountName: account?.name ?? account?.accountId ?? undefined,
  });

export function peopleText(paint: Paint, given: PeopleList): string {
  const { people, next, incomplete } = printable(given);
  const others = incomplete
    ? ['The names of more accounts begin with this than are looked at. Give more of the name to find the others.']
    : [];
  if (people.length === 0 && incomplete) return ['Nobody was found in those that are looked at.', ...others].join('\n');
  if (people.length === 0)
    return 'Nobody was found. Names of people are not here; give the beginning of an account’s name.';
  return [
    ...people.map(whoIs),
    ...(next === null ? [] : [paint.dim(`More of them: --before ${next}`)]),
    ...others,
  ].join('\n');
}

export function personText(paint: Paint, given: PersonPage, touched: PersonActions): string {
  const person = printable(given);
  const consents = person.consents.map(
    ({ purpose, channel, status, at, source }) =>
      `  ${purpose} by ${channel}: ${status} at ${clock(at)}, said by ${source}`,
  );
  const suppressions = person.suppressions.map(
    ({ channel, reason, at }) => `  ${paint.red('nothing')} by ${channel} since ${clock(at)}: ${reason}`,
  );
  const actions = printable(touched).actions.map(
    ({ at, state, detail, reasons, proposalId }) =>
      `  ${clock(at)}  ${state}  ${detail}${reasons.length > 0 ? `: ${reasons.map((r) => r.detail).join('; ')}` : ''}  ${proposalId}`,
  );
  return [
    paint.bold(whoIs(person)),
    'Consent:',
    ...(consents.length + suppressions.length === 0 ? ['  none that we know of'] : [...suppressions, ...consents]),
    `What touched this person: ${count(actions.length, 'action')}`,
    ...actions,
    ...(touched.next === null ? [] : [paint.dim(`  Older ones: --before ${printable(touched.next)}`)]),
  ].join('\n');
}
