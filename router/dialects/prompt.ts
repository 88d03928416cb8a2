import type { AssistantPart, PromptMessage, ToolPart, UserPart } from './sdk-types.ts';
import type { Target } from './target.ts';
import { ToolCalls } from './tool-ids.ts';
import { resultsFirst } from './tool-order.ts';
import { unmappable } from './unmappable.ts';

type Path = readonly PropertyKey[];

/** A conversation in the making, in the SDK's words. It ends in a form that the target's provider takes. */
export class Prompt {
  readonly #target: Target;
  readonly #calls: ToolCalls;
  readonly #messages: PromptMessage[] = [];

  constructor(target: Target) {
    this.#target = target;
    this.#calls = new ToolCalls(target.model);
  }

  add(...messages: readonly PromptMessage[]): void {
    this.#messages.push(...messages);
  }

  /** Clients send empty texts and empty lists back, which some providers refuse: what says nothing is left out. */
  user(parts: readonly UserPart[]): void {
    const content = parts.filter((part) => part.type !== 'text' || this.#says(part.text));
    if (content.length > 0) this.#messages.push({ role: 'user', content });
  }

  assistant(parts: readonly AssistantPart[]): void {
    const content = parts.filter((part) => part.type !== 'text' || this.#says(part.text));
    const last = this.#messages.at(-1);
    const calling = last?.role === 'assistant' && last.content.some(({ type }) => type === 'tool-call');
    // Some clients give each call of a turn a message of its own.
    if (calling) last.content.push(...content);
    else if (content.length > 0) this.#messages.push({ role: 'assistant', content });
  }

  /** To be called when a turn of the assistant begins. @throws PlimsollError that names a call without a result */
  beginTurn(): void {
    if (this.#messages.at(-1)?.role !== 'assistant') this.#calls.requireResults();
  }

  call(call: {
    readonly id: string;
    readonly name: string;
    readonly input: unknown;
    readonly path: Path;
  }): AssistantPart {
    const toolCallId = this.#calls.made(call.id, call.name, call.path);
    return { type: 'tool-call', toolCallId, toolName: call.name, input: call.input };
  }

  /** @returns what its call is called by the provider @throws PlimsollError that names the field, if there is no such call */
  calledAs(
    id: string,
    path: Path,
  ): Pick<Extract<ToolPart, { type: 'tool-result' }>, 'toolCallId' | 'toolName'> {
    const call = this.#calls.answered(id, path);
    return { toolCallId: call.id, toolName: call.name };
  }

  /** @throws PlimsollError `invalid-input` if nothing is said at all, or a tool call has no result */
  whole(): PromptMessage[] {
    this.#calls.requireResults();
    if (this.#messages.every(({ role }) => role === 'system')) {
      throw unmappable(['messages'], 'must hold at least one message that is not empty');
    }
    return resultsFirst(this.#messages);
  }

  #says(text: string): boolean {
    return this.#target.blankTexts ? text !== '' : text.trim() !== '';
  }
}
