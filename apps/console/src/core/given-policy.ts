import { PolicyContent } from '@countersign/contracts';
import { rulesWith } from '@countersign/contracts/testing';

/* The data of tests: a whole policy in which every optional setting is set. */

export const content: PolicyContent = PolicyContent.parse({
  charters: [
    {
      agent: 'paid-media-agent',
      owner: 'dana',
      reviewers: ['lea', 'marc'],
      signers: ['tom'],
      kinds: {
        'ads.shift_budget': 'auto',
        'ads.resume_campaign': 'suggest',
        'ads.set_bid': 'approve',
        'ads.pause_campaign': 'notify',
        'ads.publish_creative': 'observe',
      },
      firstReviewed: 50,
      currency: 'EUR',
      timeZone: 'Europe/Berlin',
      limits: {
        campaignSpendPerDayMinor: 50_000,
        adAccountSpendPerDayMinor: 300_000,
        campaignSpendPerMonthMinor: 800_000,
        adAccountSpendPerMonthMinor: 5_000_000,
        agentSpendPerDayMinor: 400_000,
        agentSpendPerMonthMinor: 6_000_000,
        sendsPerHour: 7,
        actionsPerHour: 500,
        accountActionsPerHour: 100,
        proposalsPerTask: 20,
        reviewsWaiting: 90,
        approvalAbovePercent: 25,
        approvalAboveMinor: 20_000,
        approvalAboveAdAccountTotalPerDayMinor: 150_000,
      },
      reviewWithinMinutes: 1440,
      texts: {
        bannedTerms: ['cheapest'],
        linkHosts: ['go.example.org'],
        requiredElements: [
          { element: 'an imprint', kinds: ['ads.publish_creative'], firstMessageOnly: false, anyOf: ['imprint'] },
        ],
        placeholdersMustFill: true,
        personalData: { verdict: 'escalate', ours: ['+49 30 1234567'] },
        claims: [{ claim: 'market leader', evidence: [] }],
      },
    },
  ],
  plays: [
    {
      id: 'comparison-surge',
      title: 'Comparison surge',
      freshWithinDays: 8,
      trigger: {
        pattern: 'distinct-contacts',
        signal: 'ContentEngaged',
        where: { topic: ['comparison', 'pricing'] },
        account: { tier: 1 },
        contacts: 3,
        withinDays: 6,
      },
      coolDownDays: 14,
      checkpoint: { reviewers: ['lea'], withinMinutes: 240 },
      tasks: [
        {
          agent: 'paid-media-agent',
          purpose: 'Be visible while the account compares',
          kinds: ['ads.shift_budget'],
          dueInMinutes: 30,
          settings: { campaignId: 'cmp-comparison', shiftPercent: 15 },
        },
      ],
    },
    {
      id: 'return-below-floor',
      title: 'Return below floor',
      freshWithinDays: 3,
      trigger: {
        pattern: 'return-below-floor',
        signal: 'CampaignPerformanceReported',
        floorPercent: 120,
        withinDays: 7,
        minimumSpendMinor: 10_000,
      },
      coolDownDays: 0,
      tasks: [
        {
          agent: 'paid-media-agent',
          purpose: 'Stop or reduce what does not pay back',
          kinds: ['ads.pause_campaign', 'ads.shift_budget'],
          dueInMinutes: 90,
        },
      ],
    },
  ],
  sequences: [
    {
      id: 'comparison-follow-up',
      purpose: 'sales',
      steps: [
        { template: 'guide', subject: 'The guide', body: 'Hello', afterSeconds: 0 },
        { template: 'story', subject: 'A story', body: 'Hello again', afterSeconds: 259_200 },
      ],
    },
  ],
  rules: rulesWith('given'),
  routes: [
    { kinds: ['crm.create_task'], accounts: ['partner'], executor: 'downstream', connector: 'crm' },
    { kinds: ['ads.shift_budget'], executor: 'action-executor', connector: 'ads' },
    { kinds: ['email.send'], executor: 'action-executor', connector: 'mailer' },
  ],
});
