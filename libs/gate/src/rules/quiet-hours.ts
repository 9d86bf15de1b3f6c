import { daysOfWeek, type OpenTime, type Rules } from '@countersign/contracts';
import { nextOpen, openTimes, wallWords, zonesOfAll } from '../quiet.js';
import { type Context, pass, type Rule, refuse } from '../rule.js';
import { startOf } from '../subject.js';

const isSet = ({ quietHours, workingDays }: Rules): boolean => quietHours !== undefined || workingDays !== undefined;

/** Nobody gets a message in quiet hours or on a day off, by the clock where they are, at the time at which it may run first. */
export const quietHours: Rule = {
  name: 'quiet-hours',
  parts: ({ subject }) => (subject.spec.touches ? ['rules.quietHours', 'rules.workingDays'] : []),
  weigh: ({ subject, facts, policy, at }) => {
    if (!subject.spec.touches) return undefined;
    const { rules } = policy.content;
    if (!isSet(rules)) return pass('no quiet hours and no working days are set');
    const zones = zonesOfAll(subject.recipients, facts.whereabouts);
    const start = startOf(subject, at);
    const opens = nextOpen(rules, zones, start);
    const [only] = zones.names.length === 1 ? zones.names : [];
    const local = (seconds: number): string => (only === undefined ? '' : `${wallWords(only, seconds)} there, `);
    const when = `${local(start)}${instant(start)}`;
    if (opens === start) return pass(`${when} is a time for messages ${zones.words}`);
    const outside = `${when} is no time for messages ${zones.words}: ${limits(rules)}`;
    if (opens === undefined)
      return refuse(
        `${outside}; no moment of the next two weeks is allowed in all of them: have the time zone or the country of the person recorded`,
      );
    return refuse(`${outside}; the next moment that is allowed is ${local(opens)}${instant(opens)}`, {
      opens: instant(opens),
    });
  },
};

const instant = (seconds: number): string => new Date(seconds * 1000).toISOString();

function limits({ quietHours: quiet, workingDays }: Rules): string {
  const days = daysOfWeek.filter((day) => workingDays?.includes(day)).join(', ');
  return [
    ...(quiet ? [`quiet hours are ${quiet.from} to ${quiet.to}`] : []),
    ...(workingDays ? [`working days are ${days}`] : []),
  ].join(', ');
}

/** The parts of a permit's life in which it may be opened; undefined if any part will do. */
export function openTimesOf({ subject, facts, policy }: Context, from: number, to: number): OpenTime[] | undefined {
  if (!subject.spec.touches || !isSet(policy.content.rules)) return undefined;
  return openTimes(policy.content.rules, zonesOfAll(subject.recipients, facts.whereabouts), from, to);
}
