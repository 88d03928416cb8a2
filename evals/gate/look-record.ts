import type { z } from 'zod';
import { type EarlierLook, sha256, type VerdictWord } from '../../router/artifact/index.ts';
import { PlimsollError, systemErrorCode } from '../../router/errors.ts';
import { openReplacement, readBounded } from '../../router/files/index.ts';
import { isObject } from '../../router/json/index.ts';
import {
  type Batch,
  type BatchLine,
  type BegunLine,
  begunSchema,
  decodeBatch,
  type FinishedLine,
  type FormerLine,
  finishedSchema,
  formerLookSchema,
  type NewLine,
} from './look-lines.ts';

/** The outcome of a look. */
export interface Outcome {
  readonly verdict: VerdictWord;
  /** Null if no threshold holds. */
  readonly threshold: number | null;
}

/** One look. Lines that continue one another are one look; its latest line counts. */
export interface RecordedLook {
  readonly shown: EarlierLook;
  /** Undefined for a line of version 1, of whose cases nothing is known. */
  readonly latest?: {
    readonly line: BegunLine;
    readonly record: string;
    readonly batches: readonly Batch[];
    /** Undefined if the suite has none, or the line was written before they were kept. */
    readonly hardCases?: Batch;
  };
}

export interface LookRecord {
  readonly file: string;
  /** In the order in which they began. */
  readonly looks: readonly RecordedLook[];
  /** Hashes of the lines that began a look or continued one, in the order of the file. */
  readonly begun: ReadonlySet<string>;
  /** Hash of such a line -> the outcomes that were written for it, the one that counts last. */
  readonly outcomes: ReadonlyMap<string, readonly Outcome[]>;
  /** Hashes of the batches whose fingerprints are in the file. */
  readonly known: ReadonlySet<string>;
  /** What the next line names as `previous`. */
  readonly head: string | null;
  /** What a person should know: a torn last line. */
  readonly notes: readonly string[];
  /** The file's bytes without a torn last line. */
  readonly bytes: Uint8Array;
}

/**
 * Reads the record and checks its chain. A last line that was cut off, as by a full disk, is left out with a note.
 * @throws PlimsollError `invalid-artifact`, with file and line, if another line is damaged or the chain is broken
 */
export function readLookRecord(file: string): LookRecord {
  const bytes = bytesOf(file);
  const reading = new RecordReading(file);
  const lines = linesOf(bytes);
  let end = bytes.length;
  const notes: string[] = [];
  for (const [index, { from, to, number }] of lines.entries()) {
    const text = bytes.toString('utf8', from, to).trimEnd();
    const value = jsonOr(text, () => {
      if (index < lines.length - 1)
        throw damaged(file, number, 'this is no record of a look at sealed cases');
      notes.push(
        `${file}, line ${number}: the last line is torn, as by a full disk. It is left out; the next look overwrites it.`,
      );
      end = from;
    });
    if (value !== undefined) reading.add(text, value, number);
  }
  return { file, notes, bytes: bytes.subarray(0, end), ...reading.finish() };
}

/** In bytes: two hundred looks at a hundred thousand cases. A server reads it when an artifact is promoted. */
const LARGEST = 256 * 2 ** 20;

function bytesOf(file: string): Buffer {
  try {
    return Buffer.from(
      readBounded(file, {
        mostBytes: LARGEST,
        code: 'invalid-artifact',
        remedy: 'It is no record of looks. Restore it, such as from version control.',
      }),
    );
  } catch (cause) {
    if (cause instanceof PlimsollError) throw cause;
    const code = systemErrorCode(cause);
    if (code === 'ENOENT') return Buffer.alloc(0);
    throw new PlimsollError(
      'invalid-artifact',
      `${file} cannot be read (${code}). It must be a file; without it nobody knows how often the sealed cases were looked at.`,
      { place: { file }, cause },
    );
  }
}

const SPACE = ' '.charCodeAt(0);

interface Line {
  /** Where it begins and ends, in bytes. */
  readonly from: number;
  readonly to: number;
  /** From 1. */
  readonly number: number;
}

/** The lines that are not blank. Their endings do not count: Git may change those. */
function linesOf(bytes: Buffer): Line[] {
  const lines: Line[] = [];
  for (let from = 0, number = 1; from < bytes.length; number++) {
    const found = bytes.indexOf('\n', from);
    const to = found === -1 ? bytes.length : found;
    const blank = bytes.subarray(from, to).every((byte) => byte <= SPACE);
    if (!blank) lines.push({ from, to, number });
    from = to + 1;
  }
  return lines;
}

function jsonOr(text: string, otherwise: () => void): unknown {
  try {
    return JSON.parse(text);
  } catch {
    otherwise();
    return undefined;
  }
}

class RecordReading {
  readonly #file: string;
  readonly #formerLines: string[] = [];
  readonly #looks: RecordedLook[] = [];
  /** Hash of a line that began or continued a look -> the look's place among the looks. */
  readonly #begun = new Map<string, number>();
  readonly #outcomes = new Map<string, Outcome[]>();
  readonly #batches = new Map<string, Batch>();
  #head: string | null = null;

  constructor(file: string) {
    this.#file = file;
  }

  add(text: string, value: unknown, number: number): void {
    const version = isObject(value) ? value['schema_version'] : undefined;
    if (version === undefined) this.#addFormer(text, this.#parsed(formerLookSchema, value, number), number);
    else this.#addChained(text, value, number);
  }

  finish(): Pick<LookRecord, 'looks' | 'begun' | 'outcomes' | 'known' | 'head'> {
    return {
      looks: this.#looks,
      begun: new Set(this.#begun.keys()),
      outcomes: this.#outcomes,
      known: new Set(this.#batches.keys()),
      head: this.#head,
    };
  }

  #addFormer(text: string, line: FormerLine, number: number): void {
    if (this.#begun.size > 0) throw this.#brokenChain(number);
    const { sealed_sha256: _, ...look } = line;
    this.#looks.push({ shown: { ...look, policy: null, suite_sha256: null, look: null, n: null } });
    this.#formerLines.push(text);
    this.#head = sha256(this.#formerLines.join('\n'));
  }

  #addChained(text: string, value: unknown, number: number): void {
    const finishes = isObject(value) && 'of' in value;
    const line: BegunLine | FinishedLine = finishes
      ? this.#parsed(finishedSchema, value, number)
      : this.#parsed(begunSchema, value, number);
    if (line.previous !== this.#head) throw this.#brokenChain(number);
    this.#head = sha256(text);
    if ('of' in line) this.#addOutcome(line, number);
    else this.#addBegun(line, this.#head, number);
  }

  #addBegun(line: BegunLine, record: string, number: number): void {
    const batches = line.batches.map((batch) => this.#batch(batch, number));
    const hardCases = line.hard_cases && this.#batch(line.hard_cases, number);
    const {
      batches: _,
      hard_cases,
      schema_version,
      confidence,
      planned_looks,
      delta,
      continues,
      previous,
      label_plan_sha256,
      ...look
    } = line;
    const entry = {
      shown: { ...look, threshold: null, verdict: null },
      latest: { line, record, batches, ...(hardCases && { hardCases }) },
    };
    const place = continues === null ? this.#looks.length : this.#placeOf(continues, number);
    this.#looks[place] = entry;
    this.#begun.set(record, place);
  }

  /** The outcome of a line that was continued meanwhile is on file, but not the look's latest. */
  #addOutcome({ of, verdict, threshold }: FinishedLine, number: number): void {
    const place = this.#placeOf(of, number);
    const look = this.#looks[place]!;
    this.#outcomes.set(of, [...(this.#outcomes.get(of) ?? []), { verdict, threshold }]);
    if (look.latest?.record === of)
      this.#looks[place] = { ...look, shown: { ...look.shown, verdict, threshold } };
  }

  #placeOf(record: string, number: number): number {
    const place = this.#begun.get(record);
    if (place !== undefined) return place;
    throw damaged(this.#file, number, 'it names a line that is not in the file');
  }

  #batch(line: BatchLine, number: number): Batch {
    const known = this.#batches.get(line.sha256);
    if (known !== undefined) return known;
    const batch = decodeBatch(line);
    if (batch === undefined) {
      throw damaged(
        this.#file,
        number,
        'the fingerprints of its cases are not those that it was written with',
      );
    }
    this.#batches.set(line.sha256, batch);
    return batch;
  }

  #parsed<T>(schema: z.ZodType<T>, value: unknown, number: number): T {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const field = issue === undefined || issue.path.length === 0 ? '' : `, field "${issue.path.join('.')}"`;
    throw damaged(
      this.#file,
      number,
      `this is no record of a look at sealed cases${field} (${issue?.message})`,
    );
  }

  #brokenChain(number: number): PlimsollError {
    return damaged(
      this.#file,
      number,
      'it does not follow the lines before it: one of them was edited, removed or added. If two branches both looked, keep the lines of one and gate the artifact of the other again',
    );
  }
}

function damaged(file: string, line: number, what: string): PlimsollError {
  return new PlimsollError(
    'invalid-artifact',
    `${file}, line ${line}: ${what}. Restore the file, such as from version control; without it nobody knows how often the sealed cases were looked at.`,
    { place: { file, line } },
  );
}

/**
 * Writes the record with one line more: it is on the disk when this returns. To be called under the record's lock.
 * @returns the line's hash
 * @throws PlimsollError `io`, with the file as it was
 */
export function appendLine({ file, bytes, head }: LookRecord, line: NewLine): string {
  const text = JSON.stringify({ ...line, previous: head });
  const replacement = openReplacement(file, { what: 'the record of looks at the sealed cases' });
  try {
    replacement.write(bytes);
    if (bytes.length > 0 && bytes.at(-1) !== '\n'.charCodeAt(0)) replacement.write('\n');
    replacement.write(`${text}\n`);
    replacement.commit();
  } finally {
    replacement.discard();
  }
  return sha256(text);
}
