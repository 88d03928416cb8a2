import type { Readable } from 'node:stream';
import type { CaseIntake } from './case-intake.ts';
import { csvHeader } from './csv-header.ts';
import { longCsv } from './long-csv.ts';
import { type RecordReader, readCsv } from './read-csv.ts';
import { wideCsv } from './wide-csv.ts';

/** Reads a CSV file into the intake. A column `model` makes it the long layout: see longCsv and wideCsv. */
export async function loadCsv(file: string, bytes: Readable, intake: CaseIntake): Promise<void> {
  let reader: RecordReader | undefined;
  await readCsv(file, bytes, (line, cells) => {
    if (reader !== undefined) {
      reader.record(line, cells);
      return;
    }
    const header = csvHeader(file, line, cells);
    reader = header.names.includes('model') ? longCsv(header, intake) : wideCsv(header, intake);
  });
  reader?.end();
}
