import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type CsvError, parse } from 'csv-parse';

/** One line of a table: its cells by column name, or why it cannot be read. */
export type Row =
  | { readonly ok: true; readonly cells: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly why: string };

/** A CSV file of an export. */
export interface Table {
  readonly file: string;
  /** What the rows are: the file's name without its ending and without the `_data` that test exports add. */
  readonly name: string;
  rows(): AsyncIterable<Row>;
}

/** The CSV files of a folder, by name. Throws where the folder cannot be read. */
export async function tablesIn(folder: string): Promise<readonly Table[]> {
  const files = (await readdir(folder)).filter((file) => file.toLowerCase().endsWith('.csv')).sort();
  return files.map((file) => ({ file, name: tableName(file), rows: () => rowsOf(join(folder, file)) }));
}

export const tableName = (file: string): string =>
  file
    .toLowerCase()
    .replace(/\.csv$/, '')
    .replace(/_data$/, '');

/** Streams a file's rows: a line of the wrong length or with broken quotes is a row that cannot be read, never lost. */
async function* rowsOf(path: string): AsyncIterable<Row> {
  const skipped: CsvError[] = [];
  const parser = createReadStream(path).pipe(
    parse({
      bom: true,
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
      on_skip: (error) => {
        if (error) skipped.push(error);
        return undefined;
      },
    }),
  );
  let columns: readonly string[] | undefined;
  for await (const line of parser as AsyncIterable<readonly string[]>) {
    if (!columns) {
      columns = line.map((name) => name.trim().toLowerCase());
      continue;
    }
    yield rowOf(columns, line);
    for (const error of skipped.splice(0)) yield { ok: false, why: `cannot be read as CSV (${error.code})` };
  }
  for (const error of skipped.splice(0)) yield { ok: false, why: `cannot be read as CSV (${error.code})` };
}

/** Cells by column. Of a column that is there twice the first counts. */
export function rowOf(columns: readonly string[], line: readonly string[]): Row {
  if (line.length !== columns.length) {
    return { ok: false, why: `has ${line.length} cells where the header has ${columns.length}` };
  }
  const cells: Record<string, string> = Object.create(null);
  columns.forEach((name, i) => {
    cells[name] ??= (line[i] ?? '').trim();
  });
  return { ok: true, cells };
}

/** A cell that says something, by any of its names; exports put `property_` before properties. */
export function cell(cells: Readonly<Record<string, string>>, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = cells[name] ?? cells[`property_${name}`];
    if (value !== undefined && value !== '' && value.toLowerCase() !== 'null') return value;
  }
  return undefined;
}
