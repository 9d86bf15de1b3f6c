import { expect, test } from 'vitest';
import { ads } from './ads.js';

const google = (over: Record<string, string> = {}) => ({
  customer_id: '21',
  date: '2021-02-01',
  id: '99',
  cost_micros: '36150000',
  conversions: '1.5',
  conversions_value: '100.25',
  clicks: '49',
  impressions: '166',
  device: 'MOBILE',
  ...over,
});
const dollars = { id: '21', updated_at: '2022-02-01 2:20:51', currency_code: 'USD' };

test('rows of one campaign and day are summed exactly and rounded once', () => {
  const mapping = ads();
  mapping.row('google_ads_account_history', dollars);
  const rows = [
    google({ cost_micros: '1004999' }),
    google({ device: 'DESKTOP', cost_micros: '1004999' }),
    google({ date: '2021-02-02' }),
  ];
  for (const row of rows) expect(mapping.row('google_ads_campaign_stats', row)).toEqual({ as: 'joined' });
  expect([...mapping.finish()]).toMatchObject([
    {
      table: 'google_ads_campaign_stats',
      rows: 2,
      signal: {
        type: 'CampaignPerformanceReported',
        source: '/sources/upstream/ads',
        time: '2021-02-02T00:00:00.000Z',
        data: {
          adAccountId: 'google-ads:21',
          campaignId: 'google-ads:99',
          day: '2021-02-01',
          currency: 'USD',
          // 2.009998 dollars; each row rounded by itself would give 200.
          spendMinor: 201,
          revenueMinor: 20_050,
          clicks: 98,
          impressions: 332,
          conversions: 3,
        },
      },
    },
    { rows: 1, signal: { data: { day: '2021-02-02', spendMinor: 3615 } } },
  ]);
});

test('a campaign has the name and status that it had on the day', () => {
  const mapping = ads({ currency: 'EUR' });
  const state = (updated_at: string, status: string, name: string) => ({
    id: '99',
    customer_id: '21',
    updated_at,
    status,
    name,
  });
  mapping.row('google_ads_campaign_history', state('2022-01-01T00:00:00', 'PAUSED', 'later'));
  mapping.row('google_ads_campaign_history', state('2021-01-01T00:00:00', 'ENABLED', 'then'));
  mapping.row('google_ads_campaign_stats', google());
  expect([...mapping.finish()]).toMatchObject([
    { signal: { data: { status: 'active', name: 'then', currency: 'EUR' } } },
  ]);
});

const linkedin = (over: Record<string, string> = {}) => ({
  campaign_id: '5',
  day: '2020-04-06 00:00:00',
  cost_in_local_currency: '50.2',
  cost_in_usd: '50.2',
  conversion_value_in_local_currency: '10',
  external_website_conversions: '1',
  clicks: '18',
  ...over,
});

test('a LinkedIn account whose cost is the same in dollars is in dollars; its other rows too', () => {
  const mapping = ads();
  mapping.row('linkedin_ad_campaign_history', {
    id: '5',
    account_id: '507',
    last_modified_time: '2020-01-01',
    name: 'n',
  });
  mapping.row('linkedin_ad_analytics_by_campaign', linkedin());
  mapping.row(
    'linkedin_ad_analytics_by_campaign',
    linkedin({ day: '2020-04-07 00:00:00', cost_in_usd: '', cost_in_local_currency: '0' }),
  );
  expect([...mapping.finish()]).toMatchObject([
    { signal: { data: { adAccountId: 'linkedin-ads:507', spendMinor: 5020, revenueMinor: 1000, currency: 'USD' } } },
    { signal: { data: { day: '2020-04-07', spendMinor: 0, currency: 'USD' } } },
  ]);
});

test('a row whose currency or account nobody states is no signal, and a given currency helps', () => {
  const euros = linkedin({ cost_in_usd: '60' });
  const read = (mapping: ReturnType<typeof ads>, history: boolean) => {
    if (history)
      mapping.row('linkedin_ad_campaign_history', { id: '5', account_id: '507', last_modified_time: '2020-01-01' });
    mapping.row('linkedin_ad_analytics_by_campaign', euros);
    return [...mapping.finish()];
  };
  expect(read(ads(), false)).toMatchObject([{ rows: 1, why: expect.stringContaining('no ad account') }]);
  expect(read(ads(), true)).toMatchObject([{ rows: 1, why: expect.stringContaining('--currency') }]);
  expect(read(ads({ currency: 'EUR' }), true)).toMatchObject([
    { signal: { data: { currency: 'EUR', spendMinor: 5020 } } },
  ]);
});

test('what is no number or below zero is no signal', () => {
  const mapping = ads({ currency: 'EUR' });
  expect(mapping.row('google_ads_campaign_stats', google({ cost_micros: 'much' }))).toMatchObject({ as: 'none' });
  mapping.row('google_ads_campaign_stats', google({ cost_micros: '-1000000' }));
  expect([...mapping.finish()]).toMatchObject([{ why: expect.stringContaining('data.spendMinor') }]);
});

test('a figure that was exported before its day was over is of that time', () => {
  const mapping = ads({ currency: 'EUR' });
  mapping.row('google_ads_campaign_stats', google({ _fivetran_synced: '2021-02-01 17:10:11' }));
  expect([...mapping.finish()]).toMatchObject([{ signal: { time: '2021-02-01T17:10:11.000Z' } }]);
});
