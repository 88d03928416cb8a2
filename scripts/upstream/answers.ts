import type { Dialect } from '../../router/catalog/types.ts';
import { anthropicAnswer, anthropicEvents, askOfAnthropic } from './anthropic.ts';
import { askOfOpenai, openaiAnswer, openaiEmbeddings, openaiEvents } from './openai.ts';
import { type Ask, type Reply, type ReplyOptions, replyTo } from './reply.ts';
import type { SeenRequest } from './seen-request.ts';
import { eventsWire, jsonWire, NOT_FOUND, refusalWire, toldWire, type Wire } from './wire.ts';

export interface AnswerOptions extends ReplyOptions {
  readonly apiKey: string | undefined;
  readonly models: readonly string[];
}

/** 20 MB in words of a kilobyte: a stream of it has twenty thousand events. */
const HUGE_WORDS: readonly string[] = Array.from({ length: 20 * 1024 }, () => ` ${'x'.repeat(1023)}`);

/** What a request is answered with, before faults of bytes and time. */
export function answerTo(seen: SeenRequest, options: AnswerOptions): Wire {
  const { headers, path } = seen;
  const dialect: Dialect =
    path.startsWith('/v1/messages') || headers['anthropic-version'] !== undefined ? 'anthropic' : 'openai';
  const key = headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /, '');
  const fault = options.apiKey !== undefined && key !== options.apiKey ? '401' : seen.fault;
  const refusal = fault && refusalWire(fault, dialect);
  if (refusal) return refusal;
  const right = routed(seen, options) ?? (refusalWire(NOT_FOUND, dialect) as Wire);
  return toldWire(right, fault, dialect) ?? right;
}

function routed({ path, body, fault }: SeenRequest, options: AnswerOptions): Wire | undefined {
  const reply = (ask: Ask): Reply => {
    const usual = replyTo(ask, options);
    return fault === 'huge' ? { ...usual, words: HUGE_WORDS } : usual;
  };
  switch (path.split('?')[0]) {
    case '/v1/models':
      return jsonWire({ object: 'list', data: options.models.map(listed) });
    case '/v1/embeddings':
      return jsonWire(openaiEmbeddings(body));
    case '/v1/chat/completions': {
      const withUsage = (body['stream_options'] as { include_usage?: boolean } | undefined)?.include_usage;
      const answer = reply(askOfOpenai(body));
      return body['stream'] === true
        ? eventsWire(openaiEvents(answer, withUsage === true))
        : jsonWire(openaiAnswer(answer));
    }
    case '/v1/messages': {
      const answer = reply(askOfAnthropic(body));
      return body['stream'] === true
        ? eventsWire(anthropicEvents(answer))
        : jsonWire(anthropicAnswer(answer));
    }
    default:
      return undefined;
  }
}

function listed(id: string) {
  return { id, object: 'model', created: 0, owned_by: 'nobody' };
}
