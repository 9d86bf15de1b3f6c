import { auditCommands } from '@countersign/audit';
import { probeCommands } from '@countersign/probe';
import { replayCommands } from '@countersign/replay';
import { Command } from 'commander';
import { agentCommands } from './shell/commands/agents.js';
import { charterCommands } from './shell/commands/charter.js';
import { deadLetterCommands } from './shell/commands/dead-letters.js';
import { gapCommands } from './shell/commands/gaps.js';
import { notificationCommands } from './shell/commands/notifications.js';
import { permitCommands } from './shell/commands/permit.js';
import { playCommands } from './shell/commands/plays.js';
import { policyCommands } from './shell/commands/policy.js';
import { recordCommands } from './shell/commands/record.js';
import { reviewCommands } from './shell/commands/review.js';
import { settleCommands } from './shell/commands/settle.js';
import { signInCommands, signOutCommands } from './shell/commands/sign-in.js';
import { sourceCommands } from './shell/commands/sources.js';
import { statusCommands } from './shell/commands/status.js';
import { storyCommands } from './shell/commands/stories.js';
import { watchCommands } from './shell/commands/watch.js';

/** The command line. It exits by itself only on wrong usage (2) or a request for help (0). */
export function program(): Command {
  const countersign = new Command('countersign')
    .description(
      'Countersign runs only approved actions of marketing agents. This command shows what happened, answers reviews, and stops agents.',
    )
    .option('--json', 'answer in JSON')
    .showHelpAfterError('(add --help for how to use it)')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText(
      'after',
      `
Examples:
  $ countersign status
  $ countersign sign-in
  $ countersign sign-out --person max --reason "the laptop was stolen"
  $ countersign review list
  $ countersign review approve 3f2a
  $ countersign stop --agent paid-media-agent --reason "bids look wrong"
  $ countersign show 3f2a6c1e-…
  $ countersign verify
  $ countersign audit invariants
  $ countersign probe

The addresses come from .countersign/run.json of this folder or one above it, and the credentials from
.countersign/credentials beside it. \`npm start\` writes both. These variables override them: COUNTERSIGN_CONSOLE_URL,
COUNTERSIGN_AUDIT_URL, COUNTERSIGN_ORCHESTRATOR_URL, COUNTERSIGN_CREDENTIALS (another folder), COUNTERSIGN_TOKEN (a person),
COUNTERSIGN_READ_TOKEN (status, runs, gaps), and CONFIG_DIR for the sources, agents and executors.

Exit codes:
  0  done
  1  the result is negative: refused, not found, not valid, not healthy
  2  misused, or something is not reachable or not configured`,
    );
  statusCommands(countersign);
  signInCommands(countersign);
  signOutCommands(countersign);
  reviewCommands(countersign);
  storyCommands(countersign);
  watchCommands(countersign);
  recordCommands(countersign);
  sourceCommands(countersign);
  agentCommands(countersign);
  charterCommands(countersign);
  playCommands(countersign);
  policyCommands(countersign);
  permitCommands(countersign);
  settleCommands(countersign);
  deadLetterCommands(countersign);
  gapCommands(countersign);
  notificationCommands(countersign);
  replayCommands(countersign);
  auditCommands(countersign);
  probeCommands(countersign);
  exitWithTwoWhenMisused(countersign);
  return countersign;
}

/** commander exits with 1 on wrong usage; here, 1 is an answer. */
function exitWithTwoWhenMisused(command: Command): void {
  command.exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : 2);
  });
  for (const sub of command.commands) exitWithTwoWhenMisused(sub);
}
