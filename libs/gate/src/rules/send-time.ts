import { longest } from '@countersign/contracts';
import { pass, type Rule, refuse } from '../rule.js';

/** A planned action counts under the limits until it is sent. */
const DAYS_AHEAD = longest.sendAheadDays;

export const sendTime: Rule = {
  name: 'send-time',
  weigh: ({ subject, at }) => {
    const { notBefore } = subject;
    if (notBefore === undefined) return undefined;
    return Date.parse(notBefore) - Date.parse(at) > DAYS_AHEAD * 24 * 3_600_000
      ? refuse(`it is to be sent at ${notBefore}, more than ${DAYS_AHEAD} days ahead`, { notBefore, days: DAYS_AHEAD })
      : pass(`to be sent at ${notBefore}`);
  },
};
