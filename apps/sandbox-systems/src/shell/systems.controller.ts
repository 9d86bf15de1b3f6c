import { Currency, ForeignId, Minor } from '@countersign/contracts';
import { Documented } from '@countersign/runtime';
import { Body, Controller, Get, HttpCode, Inject, Param, Put } from '@nestjs/common';
import { z } from 'zod';
import { CampaignAnswer, CampaignsAnswer, EnrolmentsAnswer, MessagesAnswer, TasksAnswer } from '../core/answers.js';
import { Ads } from './ads.system.js';
import { Crm } from './crm.system.js';
import { Mailer } from './mailer.system.js';
import { Needs } from './tokens.access.js';

const PutCampaign = z.strictObject({
  adAccountId: ForeignId,
  status: z.enum(['active', 'paused']),
  dailyBudgetMinor: Minor.nonnegative(),
  bidMinor: Minor.nonnegative(),
  currency: Currency,
});

/** Shows the systems' data, and lets a demo fill the advertising platform. */
@Controller()
export class Pages {
  constructor(
    @Inject(Ads) private readonly ads: Ads,
    @Inject(Mailer) private readonly mailer: Mailer,
    @Inject(Crm) private readonly crm: Crm,
  ) {}

  @Get('ads/campaigns')
  @Needs('viewer')
  @Documented({ summary: 'The campaigns of the advertising platform', answers: { 200: CampaignsAnswer } })
  async campaigns() {
    return { campaigns: await this.ads.campaigns() };
  }

  @Put('ads/campaigns/:id')
  @HttpCode(200)
  @Needs('operator')
  @Documented({ summary: 'Put a campaign as it is to be', answers: { 200: CampaignAnswer } })
  async putCampaign(
    @Param('id', { schema: ForeignId }) campaignId: string,
    @Body({ schema: PutCampaign }) body: z.infer<typeof PutCampaign>,
  ) {
    const campaign = { campaignId, ...body, creatives: [] };
    await this.ads.put(campaign);
    return campaign;
  }

  @Get('mailer/messages')
  @Needs('viewer')
  @Documented({ summary: 'Messages that were sent', answers: { 200: MessagesAnswer } })
  async messages() {
    return { messages: await this.mailer.messages() };
  }

  @Get('crm/tasks')
  @Needs('viewer')
  @Documented({ summary: 'Tasks of the CRM', answers: { 200: TasksAnswer } })
  async tasks() {
    return { tasks: await this.crm.tasks() };
  }

  @Get('crm/enrolments')
  @Needs('viewer')
  @Documented({ summary: 'Contacts in the sequences of the CRM', answers: { 200: EnrolmentsAnswer } })
  async enrolments() {
    return { enrolments: await this.crm.enrolments() };
  }
}
