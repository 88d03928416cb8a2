import { type Logger as PinoLogger, pino } from 'pino';
import { safeError } from '../errors.ts';
import { isSecret } from '../provider-key.ts';

/** Writes one line: fields and a message, or a message alone. An error given alone is logged as `err`. */
interface LogLine {
  (fields: object, message?: string): void;
  (message: string): void;
}

/** What is used of pino's logger. An interface of our own, so that a user's compiler needs neither pino's types nor Node's. */
export interface Logger {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
  isLevelEnabled(level: string): boolean;
  /** A logger whose lines have these fields too. */
  child(fields: object): Logger;
}

type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

interface LogStream {
  readonly isTTY?: boolean;
  write(line: string): unknown;
}

/**
 * JSON lines for machines; on a terminal one readable line each. Goes to stderr: stdout belongs to results.
 * Every line passes `redactedLine`, and a logged error is reduced to `safeError`: messages of foreign errors may quote a prompt.
 * @param secrets what no line may contain, such as the providers' keys; read for each line, since they may change.
 * Those of fewer than 8 characters are not looked for.
 */
export function createLogger(
  level: LogLevel,
  stream: LogStream = process.stderr,
  secrets: () => readonly string[] = () => [],
): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: errorOnly, error: errorOnly },
    hooks: { logMethod: withoutMessage },
  };
  const clean = (line: string) => redactedLine(line, secrets().filter(isSecret));
  const write = stream.isTTY
    ? (line: string) => stream.write(readableLine(clean(line)))
    : (line: string) => stream.write(clean(line));
  return pino(options, { write });
}

function errorOnly(value: unknown): unknown {
  return value instanceof Error ? safeError(value) : value;
}

/** For `logger.error(error)`: pino would use the error's message as the line's. */
function withoutMessage(
  this: PinoLogger,
  args: Parameters<PinoLogger['info']>,
  method: (...args: Parameters<PinoLogger['info']>) => void,
): void {
  const [first, ...rest] = args as [unknown, ...unknown[]];
  const safe = first instanceof Error ? [{ err: first }, ...(rest.length > 0 ? rest : ['failed'])] : args;
  method.apply(this, safe as Parameters<PinoLogger['info']>);
}

const COLOURS: Readonly<Record<string, number>> = { error: 31, warn: 33, debug: 90 };

/** A JSON log line for a person: time, the level unless it is info, message, then the fields. */
function readableLine(json: string): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = String(time).slice(11, 19);
  const colour = COLOURS[String(level)];
  const kind = colour === undefined ? '' : `\u001b[${colour}m${String(level)}\u001b[0m `;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${plain(value)}`);
  return `${clock} ${kind}${String(msg ?? '')}${rest.join('')}\n`;
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Replaces a secret. */
const REDACTED = '[redacted]';

/** Cheap to check in every line: without one of these there is nothing to look for, and the line is not parsed. */
const SUSPICIOUS =
  /authorization|api[-_ ]?key|token|secret|passw|cookie|credential|access[-_]?key|private[-_]?key|bearer|basic |sk-|plim_|gsk_|AIza|AKIA|:\/\/[^\s/]*@/i;

/** Matches a field's name in lower case without - and _. What names a secret (`apiKeyEnv`, `token_id`, `keys_file`) is none. */
const SECRET_NAME =
  /(?:authorization|apikey|secret|passw(?:or)?d|cookie|credentials?|accesskey|privatekey|bearertoken|(?:access|refresh|auth|session|id)token|^token$)(?!\w*(?:env|id|file|name)$)/;

/** Secrets inside other text, by their form. What `$<kept>` holds is no secret and stays. */
const SECRET_TEXTS: readonly RegExp[] = [
  /(?<kept>\bplim_[0-9a-f]{12}_)[\w-]{20,}/g,
  /(?<kept>(?:authorization|api[-_ ]?key|password|passwd|secret|(?:access|refresh|auth|session)[-_]?token|cookie)["'\\]*\s*[:=]\s*["'\\]*)(?:(?:Bearer|Basic)\s+)?[^\s"'\\,;}&]+/gi,
  /(?<kept>\bBearer\s+)[\w.~+/=-]{8,}/gi,
  // Unlike a word of prose, base64 has capitals or digits.
  /(?<kept>\b[Bb]asic\s+)(?=[\w+/]*[A-Z0-9])[\w+/]{8,}={0,2}/g,
  /(?<kept>)\b(?:sk-[\w-]{12,}|gsk_\w{20,}|AIza[\w-]{20,}|AKIA[A-Z0-9]{16})/g,
  /(?<kept>:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g,
];

/**
 * A JSON log line without secrets: the values of fields whose names say that they hold one, at any depth; the value that follows such a
 * name in a list (as Node's `rawHeaders`); what has the form of a key inside any text; and the `known` ones wherever they occur.
 * The whole line is looked at, so that children, errors and messages are covered, which pino's own `redact` by paths is not.
 * @param known secrets that have no form of their own, such as a provider's key from the environment
 */
export function redactedLine(line: string, known: readonly string[] = []): string {
  const holdsKnown = known.some((secret) => line.includes(inJson(secret)));
  if (!holdsKnown && !SUSPICIOUS.test(line)) return line;
  return `${JSON.stringify(redacted(JSON.parse(line), known))}\n`;
}

/** The same of any JSON value; for what is shown or sent elsewhere than to the log. */
function redacted(value: unknown, known: readonly string[] = []): unknown {
  if (typeof value === 'string') return redactedText(value, known);
  if (Array.isArray(value)) {
    return value.map((item, i) => (isSecretName(value[i - 1]) ? REDACTED : redacted(item, known)));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, held]) => [
      redactedText(name, known),
      isSecretName(name) && holdsSomething(held) ? REDACTED : redacted(held, known),
    ]),
  );
}

function redactedText(text: string, known: readonly string[]): string {
  const withoutKnown = known.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);
  if (!SUSPICIOUS.test(withoutKnown)) return withoutKnown;
  return SECRET_TEXTS.reduce((rest, form) => rest.replace(form, `$<kept>${REDACTED}`), withoutKnown);
}

function isSecretName(name: unknown): boolean {
  return (
    typeof name === 'string' &&
    name.length < 100 &&
    SECRET_NAME.test(name.toLowerCase().replaceAll(/[-_ ]/g, ''))
  );
}

/** Whether there was a key at all may be logged. */
function holdsSomething(value: unknown): boolean {
  return value !== null && typeof value !== 'boolean';
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
