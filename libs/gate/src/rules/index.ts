import type { Rule } from '../rule.js';
import { account } from './account.js';
import { actionId } from './action-id.js';
import { actionsPerHour } from './actions-per-hour.js';
import { adAccountTotal } from './ad-account-total.js';
import { allowedKind } from './allowed-kind.js';
import { author } from './author.js';
import { bannedTerms } from './banned-terms.js';
import { campaign } from './campaign.js';
import { claims } from './claims.js';
import { consent } from './consent.js';
import { contactFrequency } from './contact-frequency.js';
import { currency } from './currency.js';
import { dataNotice } from './data-notice.js';
import { enrolledOnce } from './enrolled-once.js';
import { enrolment } from './enrolment.js';
import { enrolmentStep } from './enrolment-step.js';
import { factsBehind } from './facts-behind.js';
import { firstTouch } from './first-touch.js';
import { killControl } from './kill-control.js';
import { lineage } from './lineage.js';
import { linkHosts } from './link-hosts.js';
import { newCreative } from './new-creative.js';
import { owner } from './owner.js';
import { personalData } from './personal-data.js';
import { placeholders } from './placeholders.js';
import { prohibitedKind } from './prohibited-kind.js';
import { proposalId } from './proposal-id.js';
import { proposalsPerTask } from './proposals-per-task.js';
import { purpose } from './purpose.js';
import { quietHours } from './quiet-hours.js';
import { requiredElements } from './required-elements.js';
import { route } from './route.js';
import { sameMessage } from './same-message.js';
import { sendTime } from './send-time.js';
import { sendsPerHour } from './sends-per-hour.js';
import { sequence } from './sequence.js';
import { size } from './size.js';
import { adAccountSpendCap, agentSpendCap, campaignSpendCap } from './spend-cap.js';
import { task, taskKnown } from './task.js';
import { taskEnded } from './task-ended.js';
import { bidThreshold, budgetThreshold } from './threshold.js';
import { tier } from './tier.js';

/** Every guardrail, in the order in which their reasons are read. All of them always run. */
export const rules: readonly Rule[] = [
  author,
  proposalId,
  taskKnown,
  task,
  taskEnded,
  proposalsPerTask,
  actionId,
  size,
  prohibitedKind,
  allowedKind,
  account,
  owner,
  campaign,
  killControl,
  actionsPerHour,
  sequence,
  enrolledOnce,
  enrolment,
  enrolmentStep,
  purpose,
  consent,
  contactFrequency,
  sameMessage,
  sendsPerHour,
  sendTime,
  quietHours,
  currency,
  campaignSpendCap,
  adAccountSpendCap,
  agentSpendCap,
  adAccountTotal,
  budgetThreshold,
  bidThreshold,
  newCreative,
  bannedTerms,
  linkHosts,
  requiredElements,
  dataNotice,
  placeholders,
  personalData,
  claims,
  firstTouch,
  factsBehind,
  lineage,
  route,
  tier,
];
