import { anthropicAnswer, anthropicEvents, askOfAnthropic } from './anthropic.ts';
import { askOfGoogle, googleAnswer, googleEvents, googleMethod } from './google.ts';
import { askOfOpenai, openaiAnswer, openaiEmbeddings, openaiEvents } from './openai.ts';
import { type Ask, type Reply, type ReplyOptions, replyTo } from './reply.ts';
import type { SeenRequest } from './seen-request.ts';
import { refusedByAnthropic } from './strict/anthropic.ts';
import { refusedByGoogle } from './strict/google.ts';
import { refusedByOpenai } from './strict/openai.ts';
import {
  type Api,
  eventsWire,
  invalidWire,
  jsonWire,
  NOT_FOUND,
  refusalWire,
  toldWire,
  type Wire,
} from './wire.ts';

export interface AnswerOptions extends ReplyOptions {
  readonly apiKey: string | undefined;
  readonly models: readonly string[];
  /** Requests are refused that the providers refuse. */
  readonly strict: boolean;
}

/** 20 MB in words of a kilobyte: a stream of it has twenty thousand events. */
const HUGE_WORDS: readonly string[] = Array.from({ length: 20 * 1024 }, () => ` ${'x'.repeat(1023)}`);

/** What a request is answered with, before faults of bytes and time. */
export function answerTo(seen: SeenRequest, options: AnswerOptions): Wire {
  const { headers } = seen;
  const api = apiOf(seen);
  const key =
    headers['x-goog-api-key'] ?? headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /, '');
  const fault = options.apiKey !== undefined && key !== options.apiKey ? '401' : seen.fault;
  const refusal = fault && refusalWire(fault, api);
  if (refusal) return refusal;
  const refused = options.strict ? refusedBy(api, seen) : undefined;
  if (refused !== undefined) return invalidWire(refused, api);
  const right = routed(seen, options) ?? (refusalWire(NOT_FOUND, api) as Wire);
  return toldWire(right, fault, api) ?? right;
}

function apiOf({ path, headers }: SeenRequest): Api {
  if (googleMethod(path) !== undefined) return 'google';
  const isAnthropic = path.startsWith('/v1/messages') || headers['anthropic-version'] !== undefined;
  return isAnthropic ? 'anthropic' : 'openai';
}

/** Why the provider would refuse the request; undefined if it would not, or if it is none for a chat. */
function refusedBy(api: Api, { path, body, headers }: SeenRequest): string | undefined {
  if (api === 'google') return refusedByGoogle(String(googleMethod(path)?.model), body);
  const [place] = path.split('?');
  if (place === '/v1/messages') return refusedByAnthropic(body, headers);
  return place === '/v1/chat/completions' ? refusedByOpenai(body) : undefined;
}

function routed({ path, body, fault }: SeenRequest, options: AnswerOptions): Wire | undefined {
  const reply = (ask: Ask): Reply => {
    const usual = replyTo(ask, options);
    return fault === 'huge' ? { ...usual, words: HUGE_WORDS } : usual;
  };
  const google = googleMethod(path);
  if (google !== undefined) {
    const answer = reply(askOfGoogle(google.model, body));
    return google.stream ? eventsWire(googleEvents(answer)) : jsonWire(googleAnswer(answer));
  }
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
