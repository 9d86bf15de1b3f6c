import { Currency, ForeignId, Minor } from '@countersign/contracts';
import { Body, Controller, Get, HttpCode, Inject, Param, Put, Res, UseFilters } from '@nestjs/common';
import { z } from 'zod';
import { AdsSandbox } from './connectors/ads-sandbox.js';
import { CrmSandbox } from './connectors/crm-sandbox.js';
import { MailerSandbox } from './connectors/mailer-sandbox.js';
import { SandboxProblems } from './sandbox.access.js';

const PutCampaign = z.strictObject({
  adAccountId: ForeignId,
  status: z.enum(['active', 'paused']),
  dailyBudgetMinor: Minor.nonnegative(),
  bidMinor: Minor.nonnegative(),
  currency: Currency,
});

interface Reply {
  code(status: number): Reply;
  type(contentType: string): Reply;
}

/** What can be looked at in the sandbox systems, and how a demo fills the advertising platform. */
@Controller('sandbox')
@UseFilters(SandboxProblems)
export class SandboxPages {
  constructor(
    @Inject(AdsSandbox) private readonly ads: AdsSandbox,
    @Inject(MailerSandbox) private readonly mailer: MailerSandbox,
    @Inject(CrmSandbox) private readonly crm: CrmSandbox,
  ) {}

  @Get('ads/campaigns')
  async campaigns() {
    return { campaigns: await this.ads.campaigns() };
  }

  @Put('ads/campaigns/:id')
  @HttpCode(200)
  async putCampaign(@Param('id') id: string, @Body() body: unknown, @Res({ passthrough: true }) reply: Reply) {
    const campaignId = ForeignId.safeParse(id);
    const given = PutCampaign.safeParse(body);
    if (campaignId.success && given.success) {
      const campaign = { campaignId: campaignId.data, ...given.data, creatives: [] };
      await this.ads.put(campaign);
      return campaign;
    }
    const issue = given.error?.issues[0] ?? campaignId.error?.issues[0];
    reply.code(400).type('application/problem+json');
    return {
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: issue?.message ?? 'invalid',
      field: campaignId.success ? (issue?.path.join('.') ?? '') : 'id',
    };
  }

  @Get('mailer/messages')
  async messages() {
    return { messages: await this.mailer.messages() };
  }

  @Get('crm/tasks')
  async tasks() {
    return { tasks: await this.crm.tasks() };
  }

  @Get('crm/enrolments')
  async enrolments() {
    return { enrolments: await this.crm.enrolments() };
  }
}
