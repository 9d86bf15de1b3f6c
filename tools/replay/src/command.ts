import { existsSync } from 'node:fs';
import { acts, brokerOf, codeOf, explained, Failure, type Session } from '@countersign/client';
import { Misused, publisherOf } from '@countersign/client/core';
import { isCharset, topology } from '@countersign/contracts';
import type { Command } from 'commander';
import { ads } from './ads.js';
import { hubspot } from './hubspot.js';
import { kafkaWire } from './kafka-wire.js';
import type { Mapping } from './mapping.js';
import { replay } from './replay.js';
import { type ReplayReport, replayText } from './report.js';
import { tablesIn } from './rows.js';
import { currencyCode } from './values.js';

interface Options {
  readonly currency?: string;
  readonly charset: string;
  readonly patience: string;
  readonly source?: string;
}

/** `countersign replay hubspot <folder>` and `countersign replay ads <folder>`. */
export function replayCommands(program: Command): void {
  const all = program
    .command('replay')
    .description(
      'publish the rows of an export as signals, and report the outcome of each row; rows that were sent before are duplicates',
    );

  const kinds: Readonly<
    Record<
      string,
      { readonly detail: string; readonly mapping: (options: Options & { readonly from: string }) => Mapping }
    >
  > = {
    hubspot: {
      detail: "HubSpot's tables: companies, contacts, deals, forms, meetings, email events",
      mapping: hubspot,
    },
    ads: { detail: 'daily campaign statistics of Google Ads and LinkedIn Ads', mapping: ads },
  };
  for (const [kind, { detail, mapping }] of Object.entries(kinds)) {
    const command = all
      .command(kind)
      .argument('<folder>', 'a folder of CSV files, one for each table')
      .description(detail)
      .option('--charset <name>', 'the charset of files without a byte order mark, for example windows-1252', 'utf-8')
      .option('--patience <seconds>', 'how long to wait for another outcome', '60')
      .option(
        '--source <name>',
        'the source (one that writes to Kafka) in whose name the rows are published; default: upstream, or the first such source',
      );
    if (kind === 'ads')
      command.option(
        '--currency <code>',
        'the currency of ad accounts whose export does not name one, for example EUR',
      );
    explained(
      command,
      [`replay ${kind} exports/${kind}`, `replay ${kind} exports/${kind} --json`],
      'a count does not add up',
    );
    acts(command, async (s, folder: string, options: Options) => {
      const report = await overKafka(s, kind, folder, mapping, checked(options));
      s.answer(report, replayText(s.paint, report));
      return report.problems.length === 0;
    });
  }
}

function checked(options: Options): Options {
  if (!(Number(options.patience) > 0)) throw new Misused(`--patience ${options.patience}: seconds are expected`);
  if (!isCharset(options.charset)) {
    throw new Misused(`--charset ${options.charset}: a name such as utf-8, utf-16le or windows-1252 is expected`);
  }
  if (options.currency === undefined) return options;
  const currency = currencyCode(options.currency);
  if (!currency) throw new Misused(`--currency ${options.currency}: a code of ISO 4217 such as EUR is expected`);
  return { ...options, currency };
}

async function overKafka(
  s: Session,
  kind: string,
  folder: string,
  mapping: (options: Options & { readonly from: string }) => Mapping,
  options: Options,
): Promise<ReplayReport> {
  const { charset, patience } = options;
  if (!existsSync(folder)) throw new Misused(`there is no folder ${folder}`);
  const tables = await tablesIn(folder, charset);
  if (tables.length === 0) throw new Misused(`${folder} holds no CSV file`);
  const console = brokerOf(s.installation, 'console');
  const deployment = s.deployment();
  const source = publisherOf(deployment, options.source);
  const upstream = brokerOf(s.installation, source.name);
  let wire: Awaited<ReturnType<typeof kafkaWire>>;
  try {
    wire = await kafkaWire(source.name, topology(deployment), upstream, console);
  } catch (error) {
    throw new Failure(2, `Kafka at ${s.installation.kafka?.bootstrap}: ${codeOf(error)}: is \`npm start\` running?`);
  }
  const shown = process.stderr.isTTY === true && !s.json;
  let last = 0;
  try {
    return await replay(kind, tables, mapping({ ...options, from: source.source }), wire, {
      patienceMs: Number(patience) * 1_000,
      progress: ({ rows, published, answered }) => {
        if (!shown || Date.now() - last < 200) return;
        last = Date.now();
        process.stderr.write(`\r${rows} rows read, ${published} signals published, ${answered} answered `);
      },
    });
  } finally {
    if (shown) process.stderr.write('\r\u001b[K');
    await wire.close();
  }
}
