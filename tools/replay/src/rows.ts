import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { TextDecoder } from 'node:util';
import { codeOf } from '@countersign/client';
import { Misused } from '@countersign/client/core';
import { charsetOf, firstBad } from '@countersign/contracts';
import { type CsvError, parse } from 'csv-parse';

/** One row of a table: its cells by column name, or why it cannot be read; and the line of the file on which it ends. */
export type Row = { readonly line: number } & (
  | { readonly ok: true; readonly cells: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly reason: string }
);

/** A CSV file of an export. */
export interface Table {
  readonly file: string;
  /** What the rows are: the file's name without its ending and without the `_data` that test exports add. */
  readonly name: string;
  rows(): AsyncIterable<Row>;
}

/** Characters that a row may have. A quote that is not closed makes one row of all that follows it. */
const maxRow = 1_000_000;
/** Bytes that a file may have: some millions of rows. */
const maxFile = 1_073_741_824;
/** Files that a folder may have. */
const maxFiles = 200;

/**
 * The CSV files of a folder, by name, in a charset; a byte order mark overrides it. Throws if the folder cannot be read. Throws
 * `Misused` if a file has no end, cannot be read, is not in its charset or has a row that does not end, or if two files contain the
 * same table, which would count it twice. All files are read completely first, so that nothing is published of such an export.
 */
export async function tablesIn(folder: string, charset = 'utf-8'): Promise<readonly Table[]> {
  const files = (await readdir(folder)).filter((file) => file.toLowerCase().endsWith('.csv')).sort();
  if (files.length > maxFiles)
    throw new Misused(
      `${folder} has ${files.length} CSV files; at most ${maxFiles} are read: replay some of them at a time`,
    );
  const tables = new Map<string, string>();
  for (const file of files) {
    const [name, other] = [tableName(file), tables.get(tableName(file))];
    if (other !== undefined) {
      throw new Misused(
        `${other} and ${file} in ${folder} are both the table ${name}: leave the one that counts there`,
      );
    }
    tables.set(name, file);
  }
  for (const file of files) {
    const path = join(folder, file);
    try {
      // A pipe or a device may never end, and may have other content when it is read again.
      const found = await stat(path);
      if (!found.isFile()) throw new Misused(`${path} is not a regular file: copy what it gives into one`);
      if (found.size > maxFile)
        throw new Misused(`${path} has ${found.size} bytes; at most ${maxFile} are read: export a shorter time`);
    } catch (error) {
      throw error instanceof Misused ? error : new Misused(`${path} cannot be read: ${codeOf(error)}`);
    }
  }
  for (const file of files) {
    const path = join(folder, file);
    try {
      for await (const _row of rowsOf(path, charset));
    } catch (error) {
      throw error instanceof Misused ? error : new Misused(`${path} cannot be read: ${codeOf(error)}`);
    }
  }
  return files.map((file) => ({ file, name: tableName(file), rows: () => rowsOf(join(folder, file), charset) }));
}

export const tableName = (file: string): string =>
  file
    .toLowerCase()
    .replace(/\.csv$/, '')
    .replace(/_data$/, '');

/**
 * Streams a file's rows. A line of the wrong length or with broken quotes is a row that cannot be read; it is never lost. Throws
 * `Misused` if a row does not end, because it cannot be separated from what follows.
 */
async function* rowsOf(path: string, charset: string): AsyncIterable<Row> {
  const skipped: CsvError[] = [];
  let ended = 0;
  const csv = parse({
    info: true,
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_record: (record, { lines }) => {
      ended = lines;
      return record;
    },
    on_skip: (error) => {
      if (error) skipped.push(error);
      return undefined;
    },
  });
  const endless = (reason: string) => new Misused(`${path}: the row that begins after line ${ended} ${reason}`);
  const text = async function* () {
    let [seen, length] = [0, 0];
    for await (const part of textOf(path, charset)) {
      yield part;
      const { records, empty_lines } = csv.info;
      const now = records + empty_lines + skipped.length;
      length = now !== seen ? 0 : length + part.length;
      seen = now;
      // What csv-parse can bound is the text of a row's cells, not how many there are.
      if (length > maxRow) throw endless(`is longer than ${maxRow} characters: is a quote not closed there?`);
    }
  };
  // A failure of the file ends the parser with it, and so the loop below.
  const parser = pipeline(text(), csv, () => undefined);
  let columns: readonly string[] | undefined;
  const broken = () =>
    skipped.splice(0).map((error): Row => {
      if (error.code === 'CSV_QUOTE_NOT_CLOSED') throw endless('has a quote that is never closed');
      const line = typeof error.lines === 'number' ? error.lines : 0;
      return { ok: false, reason: `cannot be read as CSV (${error.code})`, line };
    });
  type Line = { readonly record: readonly string[]; readonly info: { readonly lines: number } };
  for await (const { record, info } of parser as AsyncIterable<Line>) {
    if (!columns) {
      columns = record.map((name) => name.trim().toLowerCase());
      continue;
    }
    yield rowOf(columns, record, info.lines);
    yield* broken();
  }
  yield* broken();
}

/**
 * A file's text. It never replaces what cannot be decoded: it throws `Misused` with the file, the charset and the position of the
 * bytes.
 */
async function* textOf(path: string, stated: string): AsyncIterable<string> {
  let decoder: TextDecoder | undefined;
  let charset = stated;
  let at = 0;
  let before: Uint8Array = Buffer.alloc(0);
  const checked = (bytes?: Uint8Array): string => {
    try {
      return decoder?.decode(bytes, { stream: bytes !== undefined }) ?? '';
    } catch {
      // A character may begin in the bytes before; they begin with a whole one, or with the rest of one.
      const seen = Buffer.concat([before, bytes ?? Buffer.alloc(0)]);
      const rest =
        at === before.length
          ? 0
          : Math.max(
              0,
              seen.findIndex((byte) => byte >> 6 !== 2),
            );
      const place = at - before.length + rest + firstBad(seen.subarray(rest), charset);
      throw new Misused(
        `${path} is not ${charset.toUpperCase()}, see byte ${place}: say --charset, such as windows-1252`,
      );
    }
  };
  for await (const bytes of createReadStream(path) as AsyncIterable<Buffer>) {
    if (!decoder) {
      charset = charsetOf(bytes, stated);
      decoder = new TextDecoder(charset, { fatal: true });
    }
    yield checked(bytes);
    at += bytes.length;
    before = bytes;
  }
  yield checked();
}

/** Cells by column. If a column occurs twice, the first one counts. */
export function rowOf(columns: readonly string[], record: readonly string[], line: number): Row {
  if (record.length !== columns.length) {
    return { ok: false, reason: `has ${record.length} cells where the header has ${columns.length}`, line };
  }
  const cells = new Map<string, string>();
  for (const [i, name] of columns.entries()) if (!cells.has(name)) cells.set(name, (record[i] ?? '').trim());
  return { ok: true, cells: Object.fromEntries(cells), line };
}
