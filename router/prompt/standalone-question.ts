/** A prompt with less context than this, in UTF-16 units, and without an instruction may be a person's own words: it stays whole. */
export const LEAST_CONTEXT = 200;
/** A Chinese, Japanese or Korean character says about as much as three Latin letters. */
const DENSE = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g;

/** What is longer, in UTF-16 units, is more than a question. */
const LONGEST = 500;
const ASKS = /[?？]\s*$/;
/** Fewer words ask about something that is beside them: "Any thoughts?". */
const LEAST_WORDS = 5;
const LEAST_DENSE = 7;

/** It points at what is beside it. */
const POINTS =
  /\b(?:this|these|those|following|above|below|here|attached|dies(?:e[rsnm]?)?|folgend\w*|ce(?:t|tte)?|est[aeo]s?)\b|^\W*(?:\w+ ){0,4}(?:it|that|they|them)\b|这|此|上述|以下|この|これ|上記|次の|이것|이 /iu;
/** It names what is beside it: `the code`, `my essay`. */
const NAMES =
  /\b(?:the|my|our|your) (?:\w+ )?(?:text|passage|paragraph|sentence|document|article|essay|story|poem|letter|e-?mail|message|review|report|code|function|class|script|query|test|log|error|output|table|data|conversation|author|writer|narrator|speaker|author's)\b/i;
/** The text beside it is the work. */
const WORKS_ON_TEXT =
  /\b(?:summar\w+|translat\w+|rewrit\w+|re-?phras\w+|paraphras\w+|proofread\w*|improv\w+|shorten\w*|correct(?:ed|ion|ions)?|edit|review|classif\w+|extract|convert|grade|wrong|mistakes?|errors?|typos?|grammar|sound|tone|sentiment|main (?:idea|point|argument|theme)|gist|synonyms?|zusammenfass\w+|übersetz\w+|tradui\w+|résum\w+|traduc\w+|resum\w+)\b|翻译|总结|概括|改写|润色|翻訳|要約/iu;

const WE = /\b(?:we|our|us)\b/i;
const I = /\bI\b|\b(?:my|me)\b/;
const CODE =
  /[{};]\s*$|^\s*(?:def|class|function|import|from|const|let|var|public|private|#include|SELECT|\$)\s|\b(?:Traceback|Exception|Error:|ERR!|npm|WARN)/m;

/** What begins so asks for something without a question mark. */
const COMMANDS =
  /^(?:please |can you |could you )?(?:prove|derive|explain|describe|define|list|name|compare|contrast|calculate|compute|determine|estimate|solve|show|find|write|implement|design|develop|create|build|draft|discuss|analy[sz]e|evaluate|outline|give|tell|provide|identify|suggest|recommend|plan|generate|work out)\b/i;

/** `Prove that …`, `a function that finds …`. */
const CONJUNCTION = /(?<=\b(?:prove|show)) that\b|(?<=\ban? (?:\w{1,30} ){1,3})that (?=\w{1,30}s\b)/gi;

/** Whether a paragraph is a command that is clear without the context beside it, such as `Prove that every finite field is perfect.` */
export function isClearCommand(paragraph: string): boolean {
  if (paragraph.length > LONGEST || paragraph.includes('\n') || !COMMANDS.test(paragraph)) return false;
  if (paragraph.split(/\s+/).length < LEAST_WORDS) return false;
  return (
    !POINTS.test(paragraph.replace(CONJUNCTION, '')) &&
    !NAMES.test(paragraph) &&
    !WORKS_ON_TEXT.test(paragraph)
  );
}

/** Whether so much is beside the question that a person hardly wrote it there. */
export function isLongContext(text: string, questionLength: number): boolean {
  const length = text.length - questionLength;
  if (length >= LEAST_CONTEXT) return true;
  if (length * 3 < LEAST_CONTEXT) return false;
  return length + 2 * (text.match(DENSE)?.length ?? 0) >= LEAST_CONTEXT;
}

/**
 * Whether a question is clear without the context beside it, and the context is nothing that a person wrote about themselves or pasted to work
 * on. When in doubt it is not: then the whole text is scored.
 */
export function speaksForItself(question: string, context: string): boolean {
  if (question.length > LONGEST || !ASKS.test(question)) return false;
  const words = question.split(/\s+/).length;
  if (words < LEAST_WORDS && (question.match(DENSE)?.length ?? 0) < LEAST_DENSE) return false;
  if (POINTS.test(question) || NAMES.test(question) || WORKS_ON_TEXT.test(question)) return false;
  if (I.test(context) || CODE.test(context) || (WE.test(question) && WE.test(context))) return false;
  return isLongContext(context, 0);
}
