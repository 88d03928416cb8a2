import { PlimsollError, systemErrorCode } from '../errors.ts';
import { readBounded } from '../files/index.ts';
import { mapTexts } from '../json/index.ts';
import {
  openRedactCommand,
  openRedactor,
  PATTERN_KINDS,
  type RedactCommandOptions,
  type RedactedKind,
  type RedactionOptions,
} from '../redaction/index.ts';

/** The part of `capture` of the configuration that says what is replaced. */
export interface RedactedFields {
  readonly redact: readonly RedactedKind[];
  /** A name a line. Needed by `name`. */
  readonly namesFile?: string | undefined;
  readonly phoneCountries?: readonly string[] | undefined;
  readonly redactCommand?: RedactCommandOptions | undefined;
}

export interface WordRedactionOptions {
  readonly redaction: RedactionOptions;
  /** The operator's own program. */
  readonly command?: RedactCommandOptions | undefined;
}

export interface WordRedaction {
  /** All texts in a JSON value: by form and list first, then by the operator's program, which sees no more than it needs. Rejects if that fails. */
  redact<T>(words: T): Promise<T>;
  close(): void;
}

/** Opens the redaction of what is kept. @throws PlimsollError `invalid-config` if a country is unknown */
export async function openWordRedaction({
  redaction,
  command,
}: WordRedactionOptions): Promise<WordRedaction> {
  const newRedactor = await openRedactor(redaction);
  const ownCommand = command && openRedactCommand(command);
  return {
    async redact(words) {
      const redacted = newRedactor().json(words);
      if (ownCommand === undefined) return redacted;
      const texts: string[] = [];
      mapTexts(redacted, (text) => {
        texts.push(text);
        return text;
      });
      const given = await ownCommand.redact(texts);
      let next = 0;
      return mapTexts(redacted, () => given[next++] ?? '');
    },
    close: () => ownCommand?.close(),
  };
}

const DEFAULT_FIELDS: RedactedFields = { redact: PATTERN_KINDS };

/**
 * What the configuration wants replaced in all that is kept.
 * @param fields undefined without `capture`: then what its defaults replace
 * @throws PlimsollError `invalid-config` if the list of names cannot be read
 */
export function wordRedactionOf(fields: RedactedFields = DEFAULT_FIELDS): WordRedactionOptions {
  const { redact: kinds, namesFile, phoneCountries, redactCommand: command } = fields;
  const names = kinds.includes('name') && namesFile !== undefined ? namesIn(namesFile) : [];
  return { redaction: { kinds, names, ...(phoneCountries && { phoneCountries }) }, command };
}

/** In bytes: a million names. */
const LARGEST_NAMES = 16 * 2 ** 20;

function namesIn(file: string): string[] {
  const field = 'capture.names_file';
  let text: string;
  try {
    const remedy = `${field} is a text file in UTF-8 with a name on each line.`;
    text = new TextDecoder().decode(
      readBounded(file, { mostBytes: LARGEST_NAMES, code: 'invalid-config', remedy }),
    );
  } catch (cause) {
    if (cause instanceof PlimsollError) throw cause;
    throw new PlimsollError(
      'invalid-config',
      `${field}: ${file} cannot be read (${systemErrorCode(cause)}). It is a text file in UTF-8 with a name on each line.`,
      { place: { file, field }, cause },
    );
  }
  return text
    .split(/\r?\n/)
    .flatMap((line) => (line.trim() === '' || line.startsWith('#') ? [] : [line.trim()]));
}
