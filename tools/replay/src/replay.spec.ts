import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkEvent, type Envelope, topicNamed, topology } from '@countersign/contracts';
import picocolors from 'picocolors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ads } from './ads.js';
import { hubspot } from './hubspot.js';
import type { Mapping } from './mapping.js';
import { type Outcome, replay, type Wire } from './replay.js';
import { type ReplayReport, replayText } from './report.js';
import { tablesIn } from './rows.js';

/** A wire whose other end answers as ingestion does: by contract, and duplicates by id. */
function answering(
  answer: (signal: Envelope, known: boolean) => Outcome | undefined = accepts,
): Wire & { sent: Envelope[] } {
  const topic = topicNamed('signals.inbound.upstream.v1', topology());
  const known = new Set<string>();
  const sent: Envelope[] = [];
  let report: (outcome: Outcome) => void = () => undefined;
  return {
    sent,
    onOutcome: (listen) => {
      report = listen;
    },
    publish: async (signals) => {
      for (const signal of signals) {
        const read = checkEvent(topic, signal);
        sent.push(signal);
        const outcome: Outcome | undefined = read.ok
          ? answer(signal, known.has(signal.id))
          : { as: 'rejected', id: signal.id, code: read.fault.code };
        known.add(signal.id);
        if (outcome) setImmediate(report, outcome);
      }
    },
  };
}
const accepts = ({ id }: Envelope, known: boolean): Outcome =>
  known ? { as: 'rejected', id, code: 'duplicate' } : { as: 'accepted', id, triggers: false };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'));
  writeFileSync(
    join(folder, 'company_data.csv'),
    '\ufeffid,property_name,_fivetran_synced\n1,Acme,2021-01-01\n1,Acme,2021-01-01\n2,"Sp\nlit",2021-01-01\n3,short\n',
  );
  writeFileSync(join(folder, 'owner.csv'), 'id\n1\n2\n');
  writeFileSync(join(folder, 'email_event_open_data.csv'), 'id\nx\n');
  writeFileSync(join(folder, 'LICENSE'), 'not a table');
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = async (mapping: Mapping, wire: Wire, dir = folder) =>
  replay('hubspot', await tablesIn(dir), mapping, wire, { patienceMs: 100 });

test('every row has one fate and every signal one outcome', async () => {
  const wire = answering();
  const report = await run(hubspot(), wire);
  expect(report).toMatchObject({
    published: 3,
    accepted: 2,
    triggering: 0,
    rejected: { duplicate: 1 },
    unanswered: 0,
    problems: [],
  });
  const table = (file: string) => report.tables.find((t) => t.files.includes(file));
  expect(table('company_data.csv')).toMatchObject({
    rows: 4,
    inSignals: 3,
    signals: 3,
    notSignals: { 'has 2 cells where the header has 3': 1 },
  });
  expect(table('owner.csv')).toMatchObject({ rows: 2, notSignals: { 'an owner is a colleague, not a contact': 2 } });
  expect(table('email_event_open_data.csv')).toMatchObject({ rows: 1, joined: 0 });
  expect(wire.sent.map((s) => (s.data as { name: string }).name)).toContain('Sp\nlit');
});

test('the same folder again publishes the same signals: all of them duplicates', async () => {
  const wire = answering();
  const first = await run(hubspot(), wire);
  const again = await run(hubspot(), wire);
  expect([again.published, again.rejected, again.problems]).toEqual([first.published, { duplicate: 3 }, []]);
});

test('signals without an outcome and dead letters are said and make the replay fail', async () => {
  const silent = await run(
    hubspot(),
    answering(() => undefined),
  );
  expect([silent.unanswered, silent.problems]).toEqual([3, [expect.stringContaining('3 signals have no outcome')]]);
  const dead = await run(
    hubspot(),
    answering(({ id }) => ({ as: 'dead-letter', id })),
  );
  expect([dead.deadLetters, dead.problems]).toEqual([3, [expect.stringContaining('dead letters')]]);
});

test('the text says per file what became of its rows, and how the sums meet', async () => {
  const text = replayText(picocolors.createColors(false), await run(hubspot(), answering()));
  expect(text).toMatch(/company_data\.csv +4 +3 +0 +1 +3/);
  expect(text).toContain('3 published = 2 accepted (0 of them may trigger a play) + 1 rejected');
  expect(text).toContain('Every row has its fate');
});

const shared = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));
const onShared = async (
  name: string,
  mapping: () => Mapping,
  skip: (reason: string) => void,
): Promise<{ report: ReplayReport; sent: readonly Envelope[] }> => {
  if (!existsSync(join(shared, name))) skip(`${join('../shared/data', name)} is not there`);
  const wire = answering();
  const report = await run(mapping(), wire, join(shared, name));
  expect(report.problems).toEqual([]);
  expect(Object.keys(report.rejected)).toEqual([]);
  const again = await run(mapping(), wire, join(shared, name));
  expect(again.rejected).toEqual({ duplicate: report.published });
  return { report, sent: wire.sent.slice(0, report.published) };
};
const rowsOf = (report: ReplayReport) => report.tables.reduce((sum, table) => sum + table.rows, 0);

test("every row of the shared HubSpot export has its fate, and ingestion's contract takes every signal", async ({
  skip,
}) => {
  const { report } = await onShared('hubspot', hubspot, skip);
  const signals = (file: string) => report.tables.find((t) => t.files[0] === file)?.signals;
  expect(rowsOf(report)).toBe(1_486);
  expect([
    signals('company_data.csv'),
    signals('contact_data.csv'),
    signals('contact_form_submission_data.csv'),
  ]).toEqual([24, 22, 5]);
  expect(signals('email_event_data.csv')).toBeGreaterThan(80);
});

test('every row of the shared ads export has its fate, and what was spent comes out to the cent', async ({ skip }) => {
  const { report, sent } = await onShared('ads', ads, skip);
  const spent = (platform: string) =>
    sent
      .map((s) => s.data as { adAccountId: string; spendMinor: number })
      .filter((data) => data.adAccountId.startsWith(platform))
      .reduce((sum, { spendMinor }) => sum + spendMinor, 0);
  expect([rowsOf(report), report.published]).toEqual([151, 36]);
  expect([spent('google-ads'), spent('linkedin-ads')]).toEqual([23_133, 53_062]);
});

test.each([
  ['utf-8', 'utf8', '', undefined],
  ['UTF-8 with a byte order mark', 'utf8', '\ufeff', 'windows-1252'],
  ['UTF-16LE with a byte order mark', 'utf16le', '\ufeff', undefined],
  ['UTF-16LE by the option', 'utf16le', '', 'utf-16le'],
  ['ISO-8859-1 by the option', 'latin1', '', 'iso-8859-1'],
] as const)('a file in %s is read with every letter as it is', async (_name, encoding, mark, charset) => {
  const dir = mkdtempSync(join(tmpdir(), 'charset-'));
  const rows = Array.from({ length: 20_000 }, (_, i) => `${i},Größe ${'ü'.repeat(i % 5)}`);
  writeFileSync(join(dir, 'company.csv'), Buffer.from(`${mark}id,property_name\n${rows.join('\n')}\n`, encoding));
  const [table] = await tablesIn(dir, charset);
  const read: string[] = [];
  for await (const row of table?.rows() ?? [])
    read.push(row.ok ? `${row.cells.id},${row.cells.property_name}` : row.reason);
  expect(read).toEqual(rows.map((row) => row.trim()));
  rmSync(dir, { recursive: true });
});

test.each([
  ['at the beginning', 3, Buffer.from([0xfc, 0x62])],
  ['where two pieces of the file meet', 65_535, Buffer.from([0xc3, 0x28])],
  ['after a character over two pieces', 65_540, Buffer.from([0xff])],
  ['at the end', 200_000, Buffer.from([0xe2, 0x82])],
])(
  'a file that is not in its charset %s is refused before anything is published, with the byte',
  async (_where, at, bad) => {
    const dir = mkdtempSync(join(tmpdir(), 'charset-'));
    const before = Buffer.from('a,ü'.repeat(100_000)).subarray(0, at);
    const whole = (before.at(-1) ?? 0) === 0xc3 ? Buffer.concat([before.subarray(0, -1), Buffer.from('x')]) : before;
    writeFileSync(join(dir, 'company.csv'), Buffer.concat([whole, bad]));
    await expect(tablesIn(dir)).rejects.toThrow(
      new RegExp(`company\\.csv is not UTF-8, see byte ${at}: say --charset`),
    );
    await expect(tablesIn(dir, 'windows-1252')).resolves.toHaveLength(1);
    rmSync(dir, { recursive: true });
  },
);

test('a file that cannot be read ends the reading with its error', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'charset-'));
  writeFileSync(join(dir, 'company.csv'), 'id\n1\n');
  const [table] = await tablesIn(dir);
  rmSync(dir, { recursive: true });
  await expect(async () => {
    for await (const _row of table?.rows() ?? []);
  }).rejects.toThrow('ENOENT');
});

test.each<[string, string | string[], RegExp]>([
  [
    'a quote that is never closed',
    'id,name\n1,Acme\n2,"Bolt\n3,Cog\n',
    /company\.csv: the row that begins after line 2 has a quote that is never closed/,
  ],
  ['a quote that is never closed in its header', '"id,name\n1,Acme\n', /after line 0 has a quote that is never closed/],
  [
    'a quote that is not closed for millions of lines',
    ['id,name\n1,Acme\n2,"Bolt\n', ...Array.from({ length: 200 }, () => '3,Cog\n'.repeat(10_000))],
    /the row that begins after line 2 is longer than 1000000 characters: is a quote not closed there\?/,
  ],
  [
    'millions of columns',
    [...Array.from({ length: 50 }, () => ','.repeat(100_000)), '\n1\n'],
    /after line 0 is longer than 1000000 characters/,
  ],
])('an export with %s is refused whole, with the file and the line', async (_what, content, detail) => {
  const dir = mkdtempSync(join(tmpdir(), 'replay-'));
  try {
    writeFileSync(join(dir, 'company.csv'), [content].flat().join(''));
    await expect(tablesIn(dir)).rejects.toThrow(detail);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a file or a folder that is too large is refused with its size and the limit, before anything of it is parsed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'replay-'));
  try {
    // It comes first, and would be refused as soon as it is read.
    writeFileSync(join(dir, 'company.csv'), Buffer.from([0xff, 0xff]));
    writeFileSync(join(dir, 'deals.csv'), '');
    truncateSync(join(dir, 'deals.csv'), 1_073_741_825);
    await expect(tablesIn(dir)).rejects.toThrow(/deals\.csv has 1073741825 bytes; at most 1073741824 are read/);
    for (let n = 0; n < 199; n++) writeFileSync(join(dir, `more-${n}.csv`), '');
    await expect(tablesIn(dir)).rejects.toThrow(/has 201 CSV files; at most 200 are read/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test.each<[string, (path: string) => unknown, RegExp]>([
  ['a folder', (path: string) => mkdirSync(path), /company\.csv is not a regular file/],
  ['a pipe', (path: string) => execFileSync('mkfifo', [path]), /company\.csv is not a regular file/],
  ['a link to a device', (path: string) => symlinkSync('/dev/zero', path), /company\.csv is not a regular file/],
  ['a link to nothing', (path: string) => symlinkSync('/nowhere/x.csv', path), /company\.csv cannot be read: ENOENT/],
])('%s in place of a table is refused, and is not waited for', async (_what, make, detail) => {
  const dir = mkdtempSync(join(tmpdir(), 'replay-'));
  try {
    make(join(dir, 'company.csv'));
    await expect(tablesIn(dir)).rejects.toThrow(detail);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a link to a table, a row with a long text and a file of empty lines are read', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'replay-'));
  try {
    writeFileSync(join(dir, 'kept.txt'), `id,name\n1,"${'long '.repeat(100_000)}"\n`);
    symlinkSync(join(dir, 'kept.txt'), join(dir, 'company.csv'));
    writeFileSync(join(dir, 'contact.csv'), `id\n${'\n'.repeat(3_000_000)}1\n`);
    const read: boolean[] = [];
    for (const table of await tablesIn(dir)) for await (const row of table.rows()) read.push(row.ok);
    expect(read).toEqual([true, true]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test.each([
  ['company.csv', 'company_data.csv'],
  ['company.CSV', 'company.csv'],
  ['Company_Data.csv', 'company.csv'],
])('%s beside %s would count a table twice: the export is refused', async (first, other) => {
  const dir = mkdtempSync(join(tmpdir(), 'replay-'));
  try {
    for (const file of [first, other]) writeFileSync(join(dir, file), 'id,name\n1,Acme\n');
    await expect(tablesIn(dir)).rejects.toThrow(
      `${[first, other].sort().join(' and ')} in ${dir} are both the table company`,
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a refused row is told with its file, line, column and form, and its table is read by what all its rows show', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'replay-'));
  try {
    const head = 'id,customer_id,date,clicks,impressions,cost_micros,conversions,conversions_value\n';
    const rows = [
      '9,21,2021-02-01,"1,049",1,1,0,"1,234"',
      '9,21,2021-02-02,some,1,1,0,0',
      '9,21,2021-02-03,1,1,1,0,2.5',
    ];
    writeFileSync(join(dir, 'google_ads_campaign_stats.csv'), `${head}${rows.join('\n')}\n`);
    const wire = answering();
    const report = await run(ads({ currency: 'EUR' }), wire, dir);
    expect(wire.sent.map((s) => s.data)).toMatchObject([
      { clicks: 1049, revenueMinor: 123_400 },
      { revenueMinor: 250 },
    ]);
    expect(report.tables[0]?.places).toEqual({
      'clicks holds "a": a whole number is expected': ['google_ads_campaign_stats.csv:3'],
    });
    expect(replayText(picocolors.createColors(false), report)).toMatch(/stats\.csv +1 +3 +clicks holds "a"/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
