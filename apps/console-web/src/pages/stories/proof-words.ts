import { IconLoader2, IconShieldCheck, IconShieldQuestion, IconShieldX } from '@tabler/icons-react';
import { time } from '../../app/console-time.js';
import { noRecordPlace } from '../record/proof/record.js';
import type { Proof } from './use-proof.js';
import { asSentence } from './words.js';

const number = new Intl.NumberFormat();

/** A record has an event within seconds of its time. */
const youngMs = 60_000;
export const isYoung = (at: string): boolean => time.now() - Date.parse(at) < youngMs;

const signsSoon = 'The record signs every two seconds. This page asks again.';
const takesAMoment = 'The record takes a moment. This page asks again.';
const asksAgain = (detail: string): string => `${asSentence(detail)} This page asks again.`;

interface BadgeText {
  readonly words: string;
  readonly color: string;
  readonly Icon: typeof IconShieldCheck;
  readonly more?: string;
}

/** How the page shows a proof. It says that something is in the record only if this browser computed the proof. */
export function proofWords(proof: Proof | undefined, at: string): BadgeText {
  switch (proof?.state) {
    case undefined:
      return { words: 'Checking against the record…', color: 'gray', Icon: IconLoader2 };
    case 'proved':
      return {
        words: `In the record at entry ${number.format(proof.index)}, checkpoint of ${number.format(proof.size)} entries`,
        color: 'green',
        Icon: IconShieldCheck,
      };
    case 'not-signed-yet':
      return {
        words: 'In no checkpoint yet',
        color: 'gray',
        Icon: IconShieldQuestion,
        more: signsSoon,
      };
    case 'not-on-record':
      return isYoung(at)
        ? {
            words: 'Not in the record yet',
            color: 'gray',
            Icon: IconShieldQuestion,
            more: takesAMoment,
          }
        : {
            words: 'Not in the record as it is shown here',
            color: 'red',
            Icon: IconShieldX,
            more: 'The record has no event with this content at this place. Do not rely on this step, and tell an auditor.',
          };
    case 'wrong':
      return {
        words: 'The proof is wrong',
        color: 'red',
        Icon: IconShieldX,
        more: `Do not rely on this step, and tell an auditor: ${proof.detail}.`,
      };
    case 'unreachable':
      return { words: 'Not checked', color: 'yellow', Icon: IconShieldQuestion, more: asksAgain(proof.detail) };
    case 'cannot-check':
      return { words: 'Not checked', color: 'yellow', Icon: IconShieldQuestion, more: proof.detail };
    case 'not-set':
      return {
        words: 'Not checked',
        color: 'gray',
        Icon: IconShieldQuestion,
        more: noRecordPlace,
      };
    case 'forgotten':
      return {
        words: 'Not checked',
        color: 'gray',
        Icon: IconShieldQuestion,
        more: 'The console no longer has the bytes of this event. The record has.',
      };
    default:
      return proof satisfies never;
  }
}

const order = [
  'wrong',
  'not-on-record',
  'unreachable',
  'cannot-check',
  'not-set',
  'forgotten',
  'not-signed-yet',
  'proved',
] as const satisfies readonly Proof['state'][];

/** What the proofs of all steps come to, by the worst of them. */
export function worstWords(proofs: readonly { readonly proof: Proof; readonly at: string }[]): string {
  const found = order.find((state) => proofs.some(({ proof }) => proof.state === state));
  const worst = proofs.filter(({ proof }) => proof.state === found);
  const first = worst[0]?.proof;
  switch (first?.state) {
    case undefined:
      return '';
    case 'wrong':
      return 'Do not rely on the steps with a wrong proof, and tell an auditor.';
    case 'not-on-record':
      return worst.every(({ at }) => isYoung(at))
        ? takesAMoment
        : 'The record does not have every event at its place. Do not rely on those steps, and tell an auditor.';
    case 'unreachable':
      return asksAgain(first.detail);
    case 'cannot-check':
      return first.detail;
    case 'not-set':
      return noRecordPlace;
    case 'forgotten':
      return 'The console no longer has the bytes of every event. The record has them.';
    case 'not-signed-yet':
      return signsSoon;
    case 'proved':
      return 'Nobody can change them or take them out unseen.';
    default:
      return first satisfies never;
  }
}
