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
  expect(read(ads(), false)).toMatchObject([{ rows: 1, reason: expect.stringContaining('no ad account') }]);
  expect(read(ads(), true)).toMatchObject([{ rows: 1, reason: expect.stringContaining('--currency') }]);
  expect(read(ads({ currency: 'EUR' }), true)).toMatchObject([
    { signal: { data: { currency: 'EUR', spendMinor: 5020 } } },
  ]);
});

test('what is no number or below zero is no signal', () => {
  const mapping = ads({ currency: 'EUR' });
  expect(mapping.row('google_ads_campaign_stats', google({ cost_micros: 'much' }))).toMatchObject({ as: 'none' });
  mapping.row('google_ads_campaign_stats', google({ date: '2021-02-02', cost_micros: '-1000000' }));
  expect([...mapping.finish()]).toMatchObject([{ reason: expect.stringContaining('data.spendMinor') }]);
});

test('a figure that was exported before its day was over is of that time', () => {
  const mapping = ads({ currency: 'EUR' });
  mapping.row('google_ads_campaign_stats', google({ _fivetran_synced: '2021-02-01 17:10:11' }));
  expect([...mapping.finish()]).toMatchObject([{ signal: { time: '2021-02-01T17:10:11.000Z' } }]);
});

test('a day that is stated again is a later statement, with the status of its time', () => {
  const stated = (synced: string, value: string) => {
    const mapping = ads({ currency: 'EUR' });
    const state = (updated_at: string, status: string) => ({ id: '99', customer_id: '21', updated_at, status });
    mapping.row('google_ads_campaign_history', state('2021-01-01', 'ENABLED'));
    mapping.row('google_ads_campaign_history', state('2021-02-05', 'PAUSED'));
    mapping.row('google_ads_campaign_stats', google({ _fivetran_synced: synced, conversions_value: value }));
    const [end] = [...mapping.finish()];
    return end && 'signal' in end ? end.signal : undefined;
  };
  const [first, again] = [stated('2021-02-02 06:00:00', '100'), stated('2021-02-09 06:00:00', '250')];
  expect([first?.time, again?.time]).toEqual(['2021-02-02T06:00:00.000Z', '2021-02-09T06:00:00.000Z']);
  expect([first?.data, again?.data]).toMatchObject([
    { revenueMinor: 10_000, status: 'active' },
    { revenueMinor: 25_000, status: 'paused' },
  ]);
});

const whyOf = (mapping: ReturnType<typeof ads>, over: Record<string, string>, table = 'google_ads_campaign_stats') => {
  const mapped = mapping.row(table, google(over));
  return mapped.as === 'none' ? mapped.reason : mapped.as;
};

test('figures are read as people write them', () => {
  const mapping = ads({ currency: 'USD' });
  const row = { clicks: '1,049', impressions: '12\u202f000', conversions_value: '$1,234.50', cost_micros: '1000000.0' };
  expect(whyOf(mapping, row)).toBe('joined');
  expect([...mapping.finish()]).toMatchObject([
    { signal: { data: { clicks: 1049, impressions: 12_000, revenueMinor: 123_450, spendMinor: 100 } } },
  ]);
});

test('a row that cannot be read is refused with its column and the form of the value, and its day is not summed', () => {
  const mapping = ads({ currency: 'USD' });
  expect(whyOf(mapping, {})).toBe('joined');
  expect(whyOf(mapping, { clicks: 'many clicks' })).toBe('clicks holds "a a": a whole number is expected');
  expect(whyOf(mapping, { date: '2021-02-02' })).toBe('joined');
  expect([...mapping.finish()]).toMatchObject([
    { rows: 1, reason: 'another row of its campaign and day cannot be read' },
    { signal: { data: { day: '2021-02-02' } } },
  ]);
});

test.each([
  [{ clicks: '12%' }, 'clicks holds "99%": a number, not a percentage'],
  [{ clicks: '-3' }, 'clicks holds "-9": a whole number from zero'],
  [{ clicks: '1.5' }, 'clicks holds "9.9": a whole number'],
  [{ clicks: '€3' }, 'clicks holds'],
  [{ cost_micros: '3.615E+7' }, 'cost_micros holds "9.999a+9"'],
  [{ cost_micros: '--' }, 'cost_micros holds "--": an amount is expected'],
  [{ conversions_value: '1,049' }, 'conversions_value holds "9,999": no other number of the file shows'],
  [{ conversions: '$2' }, 'a number without a currency'],
  [{ date: '02/01/2021' }, 'date holds "99/99/9999": a day'],
  [{ date: '2021-02-30' }, 'date holds "9999-99-99": a day'],
  [{ _fivetran_synced: 'today' }, '_fivetran_synced holds "a": a time'],
  [{ id: 'Total: Campaigns' }, 'is a sum of other rows'],
  [{ id: '--' }, 'is a sum of other rows'],
  [{ id: '', date: 'Total: Account' }, 'is a sum of other rows'],
  [{ id: '9.94E+09' }, 'id holds "9.99a+99": an identifier of digits'],
])('a row with %o is refused', (over, reason) => {
  expect(whyOf(ads({ currency: 'EUR' }), over)).toContain(reason);
});

test('a figure that the platform does not give is left out, an empty one is zero', () => {
  const mapping = ads({ currency: 'EUR' });
  for (const over of [{ clicks: '--' }, { impressions: '' }]) expect(whyOf(mapping, over)).toBe('joined');
  const [end] = [...mapping.finish()];
  expect(end).toMatchObject({ rows: 2, signal: { data: { impressions: 166, conversions: 3 } } });
  expect(end && 'signal' in end && Object.keys(end.signal.data as object)).not.toContain('clicks');
});

test('a table without the column of its cost is refused, not taken as free of cost', () => {
  const { cost_micros: _, ...row } = google();
  expect(ads({ currency: 'EUR' }).row('google_ads_campaign_stats', row)).toMatchObject({
    reason: 'the file has no column cost_micros',
  });
});

test.each([
  ['QQQ', {}, "ISO 4217 does not have its account's currency"],
  ['USD', { conversions_value: '€5.00' }, 'marked with another currency than USD'],
])('a day of an account in %s with %o has no amount that anybody knows', (currency_code, over, reason) => {
  const mapping = ads({ currency: 'EUR' });
  const stated = mapping.row('google_ads_account_history', { ...dollars, currency_code });
  expect(stated).toEqual(
    currency_code === 'USD' ? { as: 'joined' } : { as: 'none', reason: 'ISO 4217 has no currency QQQ' },
  );
  mapping.row('google_ads_campaign_stats', google(over));
  expect([...mapping.finish()]).toMatchObject([{ rows: 1, reason: expect.stringContaining(reason) }]);
});

test('a status that is not known is refused, not taken as paused', () => {
  const mapping = ads();
  const state = { id: '99', customer_id: '21', updated_at: '2021-01-01' };
  expect(mapping.row('google_ads_campaign_history', { ...state, status: 'Eligible' })).toMatchObject({
    reason: 'status holds "a": it is no status that is known',
  });
  expect(mapping.row('google_ads_campaign_history', { ...state, status: 'removed' })).toEqual({ as: 'joined' });
});
