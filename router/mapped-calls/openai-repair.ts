import { randomUUID } from 'node:crypto';
import type { Dialect } from '../catalog/index.ts';
import { ExchangeError, logprobsOfChoice, noteLogprobs, type ReplyRepair } from '../exchange/index.ts';
import { countIn, type JsonObject, objectIn, objectsIn, textIn } from '../json/index.ts';
import { openaiReason } from '../passthrough/index.ts';
import type { ReplyNotes } from '../sdk-terms/index.ts';
import { withoutUndefined } from '../targets/index.ts';

/** Chat completions of OpenAI, Mistral, and the many servers that copy them. */
export class OpenaiRepair implements ReplyRepair {
  readonly #dialect: Dialect;
  readonly #notes: ReplyNotes;
  readonly #calls = new StreamedCalls();
  /** Text, a refusal or a call has come. */
  #said = false;
  #finished = false;

  /** @param dialect the client's: a client of Anthropic's API gets a refusal as text */
  constructor(dialect: Dialect, notes: ReplyNotes) {
    this.#dialect = dialect;
    this.#notes = notes;
  }

  event(chunk: JsonObject): JsonObject[] {
    const [choice] = objectsIn(chunk, 'choices').filter(
      ({ index }) => index === undefined || !(Number(index) > 0),
    );
    const usage = repairedUsage(chunk);
    if (choice === undefined && usage === undefined) return [];
    // Mistral's part of the SDK requires a choice in every chunk.
    const repaired = choice === undefined ? { index: 0, delta: {} } : this.#choice(choice);
    return [
      withoutUndefined({ ...headOf(chunk), object: 'chat.completion.chunk', choices: [repaired], usage }),
    ];
  }

  /** A server that sends `[DONE]` without a reason has finished all the same, if it has said something. */
  end(marked: boolean): JsonObject[] {
    if (!marked || !this.#said || this.#finished) return [];
    this.#finished = true;
    return [{ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }];
  }

  plain(reply: JsonObject): JsonObject {
    const [choice] = objectsIn(reply, 'choices');
    if (choice === undefined) throw new ExchangeError('unreadable', 'It answered without a choice.');
    const message = objectIn(choice, 'message');
    const usage = repairedUsage(reply);
    if (usage === undefined) this.#notes.usageUnknown = true;
    noteLogprobs(this.#notes, logprobsOfChoice([choice]));
    const calls = wholeCalls([...objectsIn(message, 'tool_calls'), ...legacyCall(message)]);
    return withoutUndefined({
      ...headOf(reply),
      object: 'chat.completion',
      choices: [
        withoutUndefined({
          index: 0,
          message: withoutUndefined({
            role: 'assistant',
            content: this.#content(message) ?? null,
            reasoning_content: textIn(message, 'reasoning_content'),
            tool_calls: calls.length > 0 ? calls : undefined,
          }),
          finish_reason: this.#finish(choice),
        }),
      ],
      usage: usage ?? NO_USAGE,
    });
  }

  #choice(choice: JsonObject): JsonObject {
    noteLogprobs(this.#notes, logprobsOfChoice([choice]));
    const delta = objectIn(choice, 'delta');
    const calls = this.#calls.deltas([...objectsIn(delta, 'tool_calls'), ...legacyCall(delta)]);
    const content = this.#content(delta);
    this.#said ||= calls.length > 0 || content !== undefined || this.#notes.refusal !== undefined;
    return withoutUndefined({
      index: 0,
      delta: withoutUndefined({
        content,
        reasoning_content: textIn(delta, 'reasoning_content'),
        tool_calls: calls.length > 0 ? calls : undefined,
      }),
      finish_reason: this.#finish(choice),
    });
  }

  #content(holder: JsonObject): string | undefined {
    const content = holder['content'];
    const text = Array.isArray(content)
      ? objectsIn(holder, 'content')
          .map((part) => textIn(part, 'text') ?? '')
          .join('')
      : textIn(holder, 'content');
    const parts = objectsIn(holder, 'content').map((part) => textIn(part, 'refusal') ?? '');
    const refusal = [textIn(holder, 'refusal') ?? '', ...parts].join('');
    if (refusal === '') return text;
    this.#notes.refusal = (this.#notes.refusal ?? '') + refusal;
    return this.#dialect === 'anthropic' ? `${text ?? ''}${refusal}` : text;
  }

  #finish(choice: JsonObject): string | undefined {
    const said = textIn(choice, 'finish_reason');
    if (said === undefined) return undefined;
    this.#finished = true;
    return openaiReason(said);
  }
}

/** For Mistral's part of the SDK, which requires counts. */
const NO_USAGE = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };

function headOf(reply: JsonObject): JsonObject {
  return withoutUndefined({
    id: textIn(reply, 'id'),
    model: textIn(reply, 'model'),
    created: countIn(reply, 'created'),
  });
}

/** How a tool was called before there were several calls in one reply. */
function legacyCall(holder: JsonObject): JsonObject[] {
  const call = objectIn(holder, 'function_call');
  return Object.keys(call).length > 0 ? [{ index: 0, function: call }] : [];
}

/** Undefined if the provider does not report both counts; one that is missing may follow from the total. */
function repairedUsage(reply: JsonObject): JsonObject | undefined {
  const usage = objectIn(reply, 'usage');
  const total = countIn(usage, 'total_tokens');
  const prompt = countIn(usage, 'prompt_tokens') ?? rest(total, countIn(usage, 'completion_tokens'));
  const completion = countIn(usage, 'completion_tokens') ?? rest(total, prompt);
  if (prompt === undefined || completion === undefined) return undefined;
  const input = objectIn(usage, 'prompt_tokens_details');
  const cached =
    countIn(input, 'cached_tokens') ??
    countIn(usage, 'num_cached_tokens') ??
    countIn(usage, 'prompt_cache_hit_tokens');
  const written = countIn(input, 'cache_write_tokens');
  const reasoning = countIn(objectIn(usage, 'completion_tokens_details'), 'reasoning_tokens');
  const details = withoutUndefined({
    cached_tokens: cached === undefined ? undefined : Math.min(cached, prompt),
    cache_write_tokens:
      written === undefined ? undefined : Math.min(written, prompt - Math.min(cached ?? 0, prompt)),
  });
  return withoutUndefined({
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: Object.keys(details).length > 0 ? details : undefined,
    completion_tokens_details:
      reasoning === undefined ? undefined : { reasoning_tokens: Math.min(reasoning, completion) },
  });
}

function rest(total: number | undefined, part: number | undefined): number | undefined {
  return total === undefined || part === undefined ? undefined : Math.max(0, total - part);
}

interface Call {
  readonly index: number;
  /** As the provider names it; undefined if it does not. */
  givenId: string | undefined;
  readonly givenIndex: number | undefined;
  name: string | undefined;
  /** Arguments that came before the name. */
  waiting: string;
  started: boolean;
}

/**
 * Puts the pieces of streamed tool calls in order. Servers leave out index or id, repeat them in every piece, count each call as the
 * first, or give two calls the same id. The result has the index in each piece, and id and name in the first one of each call.
 */
class StreamedCalls {
  readonly #calls: Call[] = [];
  readonly #ids = new Set<string>();

  deltas(pieces: readonly JsonObject[]): JsonObject[] {
    return pieces.flatMap((piece) => this.#delta(piece));
  }

  #delta(piece: JsonObject): JsonObject[] {
    const call = this.#callFor(piece);
    const fn = objectIn(piece, 'function');
    const text = argumentsText(fn);
    call.name ??= textIn(fn, 'name');
    if (call.name === undefined) {
      call.waiting += text;
      return [];
    }
    const { index, name } = call;
    if (call.started) return text === '' ? [] : [{ index, function: { arguments: text } }];
    call.started = true;
    const id = uniqueId(call.givenId, this.#ids);
    return [{ index, id, type: 'function', function: { name, arguments: call.waiting + text } }];
  }

  #callFor(piece: JsonObject): Call {
    const id = textIn(piece, 'id');
    const index = countIn(piece, 'index');
    const name = textIn(objectIn(piece, 'function'), 'name');
    const found = this.#known(id, index, name);
    if (found === undefined) {
      const call = {
        index: this.#calls.length,
        givenId: id,
        givenIndex: index,
        name: undefined,
        waiting: '',
        started: false,
      };
      this.#calls.push(call);
      return call;
    }
    found.givenId ??= id;
    return found;
  }

  /** A piece that has neither index nor id belongs to the last call, unless it names another tool. */
  #known(id: string | undefined, index: number | undefined, name: string | undefined): Call | undefined {
    if (index !== undefined) {
      const call = this.#calls.findLast(({ givenIndex }) => givenIndex === index);
      const other = id !== undefined && call?.givenId !== undefined && call.givenId !== id;
      return other && name !== undefined ? undefined : call;
    }
    if (id !== undefined) return this.#calls.findLast(({ givenId }) => givenId === id);
    const last = this.#calls.at(-1);
    return name !== undefined && last?.name !== undefined ? undefined : last;
  }
}

/** The calls of a plain reply, without those that have no name. */
function wholeCalls(calls: readonly JsonObject[]): JsonObject[] {
  const ids = new Set<string>();
  return calls.flatMap((call) => {
    const fn = objectIn(call, 'function');
    const name = textIn(fn, 'name');
    if (name === undefined) return [];
    return [
      {
        id: uniqueId(textIn(call, 'id'), ids),
        type: 'function',
        function: { name, arguments: argumentsText(fn) },
      },
    ];
  });
}

/** Some servers send the arguments parsed. What is no object is passed on as a text that is none, which the client's dialect decides on. */
function argumentsText(fn: JsonObject): string {
  const given = fn['arguments'];
  if (typeof given === 'string') return given;
  return given === undefined || given === null ? '' : JSON.stringify(given);
}

/** Clients find a call's result by its id, so each has one and no two have the same. */
function uniqueId(given: string | undefined, taken: Set<string>): string {
  let id = given ?? `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`;
  for (let again = 2; taken.has(id); again++) id = `${given}_${again}`;
  taken.add(id);
  return id;
}
