import { type Card, clock, type Paint, printable, titled } from '@countersign/client/core';
import { withNames } from './names.js';
import { totalText } from './render.js';

/** What a list of cards is narrowed to. */
export interface CardFilter {
  readonly agent?: string;
  readonly kind?: string;
  readonly play?: string;
  readonly account?: string;
}

/** Whether a card fits the filter. A checkpoint fits each agent to which it would give a task. */
export function isOf(card: Card, { agent, kind, play, account }: CardFilter): boolean {
  const { facts } = card;
  const agents = facts.agent === undefined ? (facts.tasks ?? []).map((task) => task.agent) : [facts.agent];
  return (
    (agent === undefined || agents.includes(agent)) &&
    (kind === undefined || (facts.kind ?? 'checkpoint') === kind) &&
    (play === undefined || card.play.id === play) &&
    (account === undefined || (facts.accountId ?? facts.account) === account)
  );
}

type RunningTotal = NonNullable<Card['facts']['runningTotals']>[number];

export type DryRunVerdict =
  | {
      readonly judged: true;
      readonly outcome: 'approved' | 'refused';
      readonly reasons: readonly { readonly rule: string; readonly detail: string }[];
      readonly at: string;
      /** Null where the answer would be set aside, so that the rules were not asked; a console of before it was told does not answer it. */
      readonly policy?: { readonly version: number; readonly digest: string | null } | null;
      readonly runningTotals?: readonly RunningTotal[] | null;
      /** What an approval would lose at this moment, in words; null if nothing. An older console does not answer it. */
      readonly loss?: string | null;
    }
  | { readonly judged: false };

/** What the rules said, and what else is not as it was when a person was asked. */
export function dryRunText(
  paint: Paint,
  given: DryRunVerdict,
  facts: Pick<Card['facts'], 'policy' | 'runningTotals' | 'campaigns'>,
) {
  if (!given.judged)
    return paint.yellow('The rules have not answered in time. You can still send the answer: the rules judge it then.');
  const { outcome, reasons, at, policy, runningTotals } = printable(given);
  const [before, asked] = [printable(facts.policy), new Map(facts.runningTotals?.map((t) => [t.ledger, t]))];
  const moved = (runningTotals ?? []).filter((total) => totalText(total) !== textOf(asked.get(total.ledger)));
  return [
    ...(outcome === 'approved'
      ? [paint.green(`No rule is against it at this moment (${clock(at)}).`)]
      : policy === null
        ? [
            paint.red(
              `Your answer would have no effect (${clock(at)}): ${reasons.map(({ detail }) => detail).join('; ')}`,
            ),
          ]
        : [
            paint.red(`The rules would refuse it at this moment (${clock(at)}):`),
            ...reasons.map(({ rule, detail }) => `  ${withNames(detail, printable(facts.campaigns))} [${rule}]`),
          ]),
    ...(policy && before && policy.digest !== before.digest
      ? [
          `Another policy is in force than when you were asked: version ${policy.version} in place of ${before.version}.`,
        ]
      : []),
    ...moved.map((total) => `limit now  ${totalText(total, printable(facts.campaigns))}`),
  ].join('\n');
}

const textOf = (total: RunningTotal | undefined): string | undefined => total && totalText(total);

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly description?: string;
}
export interface Kind {
  readonly kind: string;
  readonly channel: string;
  readonly reversible: boolean;
  readonly payload: unknown;
}

export const kindsText = (paint: Paint, kinds: readonly Kind[]): string =>
  titled(
    paint,
    ['kind', 'channel', 'can be taken back', 'settings'],
    printable(kinds).map(({ kind, channel, reversible, payload }) => [
      kind,
      channel,
      reversible ? 'yes' : 'no',
      Object.keys((payload as Schema).properties ?? {}).join(', '),
    ]),
  );

export function kindText(paint: Paint, given: Kind): string {
  const { kind, payload } = printable(given);
  const { properties = {}, required = [] } = payload as Schema;
  const rows = Object.entries(properties).map(([name, schema]) => [
    name,
    schema.enum ? schema.enum.map(String).join(' or ') : (schema.type ?? 'any'),
    required.includes(name) ? 'required' : '',
    schema.description ?? '',
  ]);
  return `${paint.bold(kind)}\n${titled(paint, ['setting', 'type', '', ''], rows)}`;
}
