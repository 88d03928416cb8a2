import { randomUUID } from 'node:crypto';
import { type Dialect, requirementsOf } from '../catalog/index.ts';
import type { ModelRequest } from './model-request.ts';

/** What stands in every answer, or in every chunk of it, beside what the model said. */
export interface AnswerContext {
  /** Our own: an answer's id of another dialect would mean nothing to the client. */
  readonly id: string;
  /** The catalog's name of the model that answers, `<provider>/<model>`: a name that the client can ask for. */
  readonly model: string;
  /** Seconds since 1970, UTC. */
  readonly created: number;
  /** Whether an OpenAI stream ends with a chunk of usage. */
  readonly includeUsage: boolean;
  /** The client offered OpenAI's older functions, and reads a call in `function_call`. */
  readonly functions: boolean;
  /** An estimate of the input's tokens, for what Anthropic's clients are told before the provider has counted; 0 for OpenAI's. */
  readonly inputTokens: number;
}

const PREFIXES: Readonly<Record<Dialect, string>> = { openai: 'chatcmpl-', anthropic: 'msg_' };

export function answerContext({ dialect, model, body }: ModelRequest, includeUsage: boolean): AnswerContext {
  const id = PREFIXES[dialect] + randomUUID().replaceAll('-', '');
  const inputTokens = dialect === 'anthropic' ? requirementsOf(body, dialect).inputTokens : 0;
  return {
    id,
    model: model.name,
    created: Math.floor(Date.now() / 1000),
    includeUsage,
    functions: offersFunctions(body),
    inputTokens,
  };
}

function offersFunctions({ functions, tools }: ModelRequest['body']): boolean {
  return Array.isArray(functions) && functions.length > 0 && !tools;
}
