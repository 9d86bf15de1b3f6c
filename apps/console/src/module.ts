import { servicePorts, topics } from '@countersign/contracts';
import { RuntimeModule, type ServiceSpec } from '@countersign/runtime';
import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Agents } from './shell/agents.controller.js';
import { AgentStore } from './shell/agents.repository.js';
import { Store } from './shell/console.repository.js';
import { Controls } from './shell/controls.controller.js';
import { ControlStore } from './shell/controls.repository.js';
import { DeadLetters } from './shell/dead-letters.controller.js';
import { DryRuns } from './shell/dry-runs.controller.js';
import { DryRunStore } from './shell/dry-runs.repository.js';
import { FailureStore } from './shell/failures.repository.js';
import { ForgetActivities } from './shell/forget-activities.job.js';
import { ForgetReveal } from './shell/forget-reveal.job.js';
import { ForgetSessions } from './shell/forget-sessions.job.js';
import { Gaps } from './shell/gaps.controller.js';
import { GapStore } from './shell/gaps.repository.js';
import { GatherNotifications } from './shell/gather-notifications.job.js';
import { Groups } from './shell/groups.js';
import { http } from './shell/http.js';
import { IdentityProvider } from './shell/identity-provider.js';
import { Ids } from './shell/ids.controller.js';
import { IdStore } from './shell/ids.repository.js';
import { Inspections } from './shell/inspections.controller.js';
import { InspectionStore } from './shell/inspections.repository.js';
import { Kinds } from './shell/kinds.controller.js';
import { Live } from './shell/live.controller.js';
import { LiveChanges } from './shell/live.service.js';
import { AcknowledgedGaps1764400000003 } from './shell/migrations/acknowledged-gaps.js';
import { AgentTokens1764500000232 } from './shell/migrations/agent-tokens.js';
import { AgentsAndPlays1764500000144 } from './shell/migrations/agents-and-plays.js';
import { ApprovedSettlements1764300000068 } from './shell/migrations/approved-settlements.js';
import { CampaignNames1764600000931 } from './shell/migrations/campaign-names.js';
import { ControlConfirmations1764300000053 } from './shell/migrations/control-confirmations.js';
import { DryRuns1764500000191 } from './shell/migrations/dry-runs.js';
import { EscalationTraces1763700000018 } from './shell/migrations/escalation-traces.js';
import { KeptForDays1764500000233 } from './shell/migrations/kept-for-days.js';
import { KnownCampaigns1764600000971 } from './shell/migrations/known-campaigns.js';
import { LiveOrders1764500000092 } from './shell/migrations/live-orders.js';
import { NamesByTime1764600000921 } from './shell/migrations/names-by-time.js';
import { NotificationThings1764600000901 } from './shell/migrations/notification-things.js';
import { Notifications1764500000165 } from './shell/migrations/notifications.js';
import { NowFigures1764500000111 } from './shell/migrations/now-figures.js';
import { OldReveals1764600000861 } from './shell/migrations/old-reveals.js';
import { OpenCheckpoints1764600000831 } from './shell/migrations/open-checkpoints.js';
import { OwnStateAlone1763700000033 } from './shell/migrations/own-state-alone.js';
import { PageOrders1764300000063 } from './shell/migrations/page-orders.js';
import { PageReads1764500000791 } from './shell/migrations/page-reads.js';
import { People1764500000073 } from './shell/migrations/people.js';
import { PeopleByRole1764600000941 } from './shell/migrations/people-by-role.js';
import { Permits1764300000064 } from './shell/migrations/permits.js';
import { PlainNames1764400000071 } from './shell/migrations/plain-names.js';
import { Projection1763700000008 } from './shell/migrations/projection.js';
import { RecordPasses1764600000782 } from './shell/migrations/record-passes.js';
import { RefusedByStops1764600000973 } from './shell/migrations/refused-by-stops.js';
import { RejectedPermits1764600000961 } from './shell/migrations/rejected-permits.js';
import { Rejections1764500000081 } from './shell/migrations/rejections.js';
import { ReplayEnds1764500000071 } from './shell/migrations/replay-ends.js';
import { ReplayNotes1764400000002 } from './shell/migrations/replay-notes.js';
import { ReportedGaps1764600000891 } from './shell/migrations/reported-gaps.js';
import { Reveals1764500000252 } from './shell/migrations/reveals.js';
import { Sessions1764500000091 } from './shell/migrations/sessions.js';
import { SettlementsByExecutor1763700000009 } from './shell/migrations/settlements-by-executor.js';
import { SignInAccounts1764600000922 } from './shell/migrations/sign-in-accounts.js';
import { SignInAttempts1764500000093 } from './shell/migrations/sign-in-attempts.js';
import { SignOuts1764500000771 } from './shell/migrations/sign-outs.js';
import { SignalsOfSources1764500000072 } from './shell/migrations/signals-of-sources.js';
import { Stories1764500000173 } from './shell/migrations/stories.js';
import { TriedAsItIs1764600000801 } from './shell/migrations/tried-as-it-is.js';
import { UnresolvedPermits1763700000037 } from './shell/migrations/unresolved-permits.js';
import { WithheldTasks1764600000871 } from './shell/migrations/withheld-tasks.js';
import { NotificationPages } from './shell/notifications.controller.js';
import { NotificationStore } from './shell/notifications.repository.js';
import { Notifier } from './shell/notifier.service.js';
import { NOTIFYING, readNotifying } from './shell/notifying.js';
import { Now } from './shell/now.controller.js';
import { NowStore } from './shell/now.repository.js';
import { OidcPages } from './shell/oidc.controller.js';
import { Pages } from './shell/pages.controller.js';
import { Passes } from './shell/passes.controller.js';
import { PassStore } from './shell/passes.repository.js';
import { PeopleAccess } from './shell/people.access.js';
import { PeopleHandlers } from './shell/people.consumer.js';
import { People } from './shell/people.controller.js';
import { PeopleStore } from './shell/people.repository.js';
import { Plays } from './shell/plays.controller.js';
import { PlayStore } from './shell/plays.repository.js';
import { PolicyRoutes } from './shell/policies.controller.js';
import { PolicyStore } from './shell/policies.repository.js';
import { Policies } from './shell/policies.service.js';
import { Handlers, sharing } from './shell/projection.consumer.js';
import { QueueStore } from './shell/queue.repository.js';
import { RecordPages } from './shell/record.controller.js';
import { CheckpointStore } from './shell/record.repository.js';
import { Reveals } from './shell/reveals.controller.js';
import { RevealsStore } from './shell/reveals.repository.js';
import { ReviewFactStore } from './shell/review-facts.repository.js';
import { Reviews } from './shell/reviews.controller.js';
import { SendNotifications } from './shell/send-notifications.job.js';
import { SessionPages } from './shell/session.controller.js';
import { SessionStore } from './shell/sessions.repository.js';
import { Sessions } from './shell/sessions.service.js';
import { environment, PEOPLE, readPeople, readSettings, SETTINGS } from './shell/settings.js';
import { Settlements } from './shell/settlements.controller.js';
import { SignOuts } from './shell/sign-outs.controller.js';
import { SlackActions } from './shell/slack.controller.js';
import { Sources } from './shell/sources.controller.js';
import { SourceStore } from './shell/sources.repository.js';
import { StillSignedIn } from './shell/still-signed-in.guard.js';
import { StillTrue } from './shell/still-true.js';
import { Stories } from './shell/stories.controller.js';
import { StoryStore } from './shell/stories.repository.js';
import { UnresolvedStore } from './shell/unresolved.repository.js';
import { Views } from './shell/views.controller.js';

export const spec: ServiceSpec = {
  name: 'console',
  // A stop is never delayed.
  anyClock: true,
  port: servicePorts.console,
  access: PeopleAccess,
  settings: environment,
  http,
  trustedProxies: (env) => readSettings(env).trustedProxies,
  migrations: [
    Projection1763700000008,
    SettlementsByExecutor1763700000009,
    EscalationTraces1763700000018,
    OwnStateAlone1763700000033,
    UnresolvedPermits1763700000037,
    ControlConfirmations1764300000053,
    PageOrders1764300000063,
    Permits1764300000064,
    ApprovedSettlements1764300000068,
    ReplayNotes1764400000002,
    AcknowledgedGaps1764400000003,
    PlainNames1764400000071,
    ReplayEnds1764500000071,
    Rejections1764500000081,
    Sessions1764500000091,
    NowFigures1764500000111,
    AgentsAndPlays1764500000144,
    SignalsOfSources1764500000072,
    People1764500000073,
    Stories1764500000173,
    LiveOrders1764500000092,
    Notifications1764500000165,
    SignInAttempts1764500000093,
    DryRuns1764500000191,
    SignOuts1764500000771,
    Reveals1764500000252,
    AgentTokens1764500000232,
    KeptForDays1764500000233,
    PageReads1764500000791,
    RecordPasses1764600000782,
    TriedAsItIs1764600000801,
    OpenCheckpoints1764600000831,
    OldReveals1764600000861,
    WithheldTasks1764600000871,
    ReportedGaps1764600000891,
    NamesByTime1764600000921,
    SignInAccounts1764600000922,
    NotificationThings1764600000901,
    CampaignNames1764600000931,
    PeopleByRole1764600000941,
    RejectedPermits1764600000961,
    KnownCampaigns1764600000971,
    RefusedByStops1764600000973,
  ],
  ownState: [topics.controls, topics.policies],
  gathers: 'pages',
  sharesBatches: sharing,
  jobs: [ForgetActivities, GatherNotifications, SendNotifications, ForgetSessions, ForgetReveal],
};

@Module({
  imports: [RuntimeModule.of(spec)],
  controllers: [
    Handlers,
    NotificationPages,
    SlackActions,
    PeopleHandlers,
    Reviews,
    DryRuns,
    Kinds,
    Controls,
    Settlements,
    DeadLetters,
    Ids,
    Gaps,
    Sources,
    People,
    Reveals,
    Views,
    SessionPages,
    SignOuts,
    OidcPages,
    Pages,
    Now,
    Agents,
    Plays,
    PolicyRoutes,
    Stories,
    RecordPages,
    Passes,
    Inspections,
    Live,
  ],
  providers: [
    { provide: SETTINGS, useFactory: () => readSettings(process.env) },
    Store,
    ControlStore,
    UnresolvedStore,
    FailureStore,
    IdStore,
    DryRunStore,
    ReviewFactStore,
    GapStore,
    NowStore,
    QueueStore,
    Groups,
    AgentStore,
    PlayStore,
    PolicyStore,
    SourceStore,
    PeopleStore,
    RevealsStore,
    StoryStore,
    CheckpointStore,
    PassStore,
    InspectionStore,
    Policies,
    ForgetActivities,
    { provide: NOTIFYING, useFactory: () => readNotifying(process.env) },
    NotificationStore,
    Notifier,
    StillTrue,
    GatherNotifications,
    SendNotifications,
    ForgetSessions,
    ForgetReveal,
    SessionStore,
    IdentityProvider,
    LiveChanges,
    Sessions,
    PeopleAccess,
    { provide: APP_GUARD, useClass: StillSignedIn },
    { provide: PEOPLE, useFactory: () => readPeople(process.env) },
  ],
})
export class ConsoleModule {}
