import { isLongContext } from './standalone-question.ts';

/** `On Mon, 3 Nov 2025 at 10:14, Ana wrote:`, in some languages, and what Outlook writes above what it quotes. */
const QUOTES_FOLLOW =
  /^(?:(?:On|Am|Le|El|Il|Op) .{5,160}(?:wrote|schrieb.{0,80}|a écrit|escribió|ha scritto|schreef.{0,80}) ?:|-{2,10} ?(?:Original Message|Forwarded message|Ursprüngliche Nachricht|Message d'origine) ?-{2,10})[ \t\r]*$/im;
const FIELD =
  /^(?:From|To|Cc|Sent|Date|Subject|Von|An|Gesendet|Datum|Betreff|De|À|Objet|Asunto|Para) ?: ?\S.*$/i;
const SENDER = /^(?:From|Von|De) ?: ?\S/i;
const LEAST_FIELDS = 3;
const QUOTED = /^[ \t]*>/;
/** Who pastes an email under a question of their own greets nobody. */
const GREETS =
  /^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|guten tag|liebe[rs]?|sehr geehrte\w*|bonjour|hola|buon ?giorno|ciao|olá|estimad\w*)\b[^\n]{0,60}$|^(?:您好|你好|お世話)/im;
/** Asks for work on the thread itself, which is then part of the ask. */
const IS_ABOUT_THREAD =
  /\b(?:summar\w+|translat\w+|draft|rewrit\w+|proofread|extract|classif\w+|thread|e-?mails?|repl(?:y|ies)|respon[ds]\w*|below|following|above|attached|conversation|forward\w*|fyi|thoughts)\b/i;

/**
 * The newest message of an email that quotes the earlier ones below it, without its own header: help desks pass emails on as they come.
 * Undefined for any other text, and where the message is about the thread.
 */
export function questionInEmail(text: string): string | undefined {
  if (!isLongContext(text, 0)) return undefined; // most texts
  if (!GREETS.test(text.slice(0, 80)) && !FIELD.test(text.slice(0, text.indexOf('\n')).trim()))
    return undefined;
  const lines = text.split('\n');
  const bodyStart = endOfHeader(lines, 0);
  const quoteStart = lines.findIndex((line, at) => at >= bodyStart && startsQuotes(lines, line, at));
  if (quoteStart < 0) return undefined;
  const said = lines.slice(bodyStart, quoteStart).join('\n').trim();
  if (bodyStart === 0 && !GREETS.test(lines[0]!.trim())) return undefined;
  if (said === '' || IS_ABOUT_THREAD.test(said)) return undefined;
  return isLongContext(text, said.length) ? said : undefined;
}

/** Past the fields at `start`; `start` itself if they are too few for a header. */
function endOfHeader(lines: readonly string[], start: number): number {
  let end = start;
  while (end < lines.length && FIELD.test(lines[end]!.trim())) end++;
  const isHeader = end - start >= LEAST_FIELDS && lines.slice(start, end).some((line) => SENDER.test(line));
  return isHeader ? end : start;
}

function startsQuotes(lines: readonly string[], line: string, at: number): boolean {
  if (SENDER.test(line)) return endOfHeader(lines, at) > at;
  if (!QUOTES_FOLLOW.test(line)) return false;
  return line.startsWith('-') || onlyQuotes(lines, at + 1);
}

/** Nothing of the person's own follows: with words between the quotes, both belong together. */
function onlyQuotes(lines: readonly string[], from: number): boolean {
  for (let at = from; at < lines.length; at++) {
    if (lines[at]!.trim() !== '' && !QUOTED.test(lines[at]!)) return false;
  }
  return true;
}
