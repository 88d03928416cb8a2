import type Anthropic from '@anthropic-ai/sdk';
import { type Content, GoogleGenAI, type Part } from '@google/genai';
import type OpenAI from 'openai';
import { CLIENT_KEY } from './ladder-gateway.ts';

/** What a person says in one turn, and how it is asked. */
export interface Turn {
  readonly model: string;
  readonly text: string;
  /** The only tools that are offered; each takes a city. */
  readonly tools?: readonly string[];
  /** A PNG in base64. */
  readonly picture?: string;
  /** The reply is an object of this schema. */
  readonly schema?: Readonly<Record<string, unknown>>;
  readonly stream?: boolean;
}

export interface Called {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

export interface Reply {
  readonly text: string;
  readonly calls: readonly Called[];
}

/** A conversation as a program with the official client of an API keeps it: each reply goes back as it came. */
export interface Conversation {
  /** Adds what the person says. */
  person(turn: Turn): void;
  /** Adds the result of each call, in order. */
  results(results: readonly (Called & { readonly output: string })[]): void;
  /** Asks for a reply, and adds it. */
  reply(turn: Turn): Promise<Reply>;
}

export interface Clients {
  readonly url: string;
  readonly openai: OpenAI;
  readonly anthropic: Anthropic;
}

const CITY = {
  type: 'object' as const,
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const descriptionOf = (name: string) => `The ${name} of a city.`;

/** API -> a new conversation in it. */
export const CONVERSATIONS: Readonly<Record<string, (clients: Clients) => Conversation>> = {
  'OpenAI chat': chatConversation,
  'OpenAI Responses': (clients) => responsesConversation(clients, 'whole'),
  'OpenAI Responses, by id': (clients) => responsesConversation(clients, 'by id'),
  'Anthropic messages': anthropicConversation,
  Google: googleConversation,
};

function chatConversation({ openai }: Clients): Conversation {
  const messages: OpenAI.ChatCompletionMessageParam[] = [];
  return {
    person({ text, picture }) {
      const url = `data:image/png;base64,${picture}`;
      const content = [
        { type: 'text' as const, text },
        { type: 'image_url' as const, image_url: { url } },
      ];
      messages.push({ role: 'user', content: picture ? content : text });
    },
    results(results) {
      for (const { id, output } of results)
        messages.push({ role: 'tool', tool_call_id: id, content: output });
    },
    async reply({ model, tools, schema, stream }) {
      const asked: Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'stream'> = {
        model,
        messages,
        ...(tools && {
          tools: tools.map((name) => ({
            type: 'function',
            function: { name, description: descriptionOf(name), parameters: CITY },
          })),
        }),
        ...(schema && {
          response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } },
        }),
      };
      const completion = stream
        ? await openai.chat.completions.stream(asked).finalChatCompletion()
        : await openai.chat.completions.create(asked);
      const { message } = completion.choices[0]!;
      messages.push(message);
      const calls = (message.tool_calls ?? []).flatMap((call) =>
        call.type === 'function' ? { id: call.id, ...parsed(call.function) } : [],
      );
      return { text: message.content ?? '', calls };
    },
  };
}

type ResponseItem = OpenAI.Responses.ResponseInputItem;

/** @param kept `by id`: only what is new goes, with the id of the response before */
function responsesConversation({ openai }: Clients, kept: 'whole' | 'by id'): Conversation {
  const input: ResponseItem[] = [];
  let previous: string | undefined;
  return {
    person({ text, picture }) {
      const image_url = `data:image/png;base64,${picture}`;
      const content: OpenAI.Responses.ResponseInputContent[] = [{ type: 'input_text', text }];
      if (picture) content.push({ type: 'input_image', detail: 'auto', image_url });
      input.push({ role: 'user', content });
    },
    results(results) {
      for (const { id: call_id, output } of results)
        input.push({ type: 'function_call_output', call_id, output });
    },
    async reply({ model, tools, schema, stream }) {
      const asked: Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, 'stream'> = {
        model,
        input,
        ...(kept === 'whole' ? { store: false } : previous && { previous_response_id: previous }),
        ...(tools && {
          tools: tools.map((name) => ({
            type: 'function',
            name,
            description: descriptionOf(name),
            parameters: CITY,
            strict: true,
          })),
        }),
        ...(schema && { text: { format: { type: 'json_schema', name: 'answer', schema, strict: true } } }),
      };
      const response = stream
        ? await openai.responses.stream(asked).finalResponse()
        : await openai.responses.create(asked);
      previous = response.id;
      if (kept === 'by id') input.length = 0;
      else input.push(...(response.output as ResponseItem[]));
      const calls = response.output.flatMap((item) =>
        item.type === 'function_call' ? { id: item.call_id, ...parsed(item) } : [],
      );
      return { text: response.output_text, calls };
    },
  };
}

function anthropicConversation({ anthropic }: Clients): Conversation {
  const messages: Anthropic.MessageParam[] = [];
  return {
    person({ text, picture }) {
      const content: Anthropic.ContentBlockParam[] = [{ type: 'text', text }];
      if (picture) {
        const source = { type: 'base64' as const, media_type: 'image/png' as const, data: picture };
        content.push({ type: 'image', source });
      }
      messages.push({ role: 'user', content });
    },
    results(results) {
      const content = results.map(({ id, output }) => ({
        type: 'tool_result' as const,
        tool_use_id: id,
        content: output,
      }));
      messages.push({ role: 'user', content });
    },
    async reply({ model, tools, schema, stream }) {
      const asked: Omit<Anthropic.MessageCreateParamsNonStreaming, 'stream'> = {
        model,
        max_tokens: 1000,
        messages,
        ...(tools && {
          tools: tools.map((name) => ({ name, description: descriptionOf(name), input_schema: CITY })),
        }),
        ...(schema && { output_config: { format: { type: 'json_schema', schema } } }),
      };
      const { content } = stream
        ? await anthropic.messages.stream(asked).finalMessage()
        : await anthropic.messages.create(asked);
      messages.push({ role: 'assistant', content });
      const text = content.map((block) => (block.type === 'text' ? block.text : '')).join('');
      return { text, calls: content.filter((block) => block.type === 'tool_use') };
    },
  };
}

function googleConversation({ url: baseUrl }: Clients): Conversation {
  const options = { baseUrl, retryOptions: { attempts: 1 } };
  const { models } = new GoogleGenAI({ apiKey: CLIENT_KEY, httpOptions: options });
  const contents: Content[] = [];
  return {
    person({ text, picture }) {
      const parts: Part[] = [{ text }];
      if (picture) parts.push({ inlineData: { mimeType: 'image/png', data: picture } });
      contents.push({ role: 'user', parts });
    },
    results(results) {
      const parts = results.map(
        ({ id, name, output }): Part => ({
          functionResponse: { ...(id && { id }), name, response: { output } },
        }),
      );
      contents.push({ role: 'user', parts });
    },
    async reply({ model, tools, schema, stream }) {
      const functions = tools?.map((name) => ({
        name,
        description: descriptionOf(name),
        parametersJsonSchema: CITY,
      }));
      const config = {
        ...(functions && { tools: [{ functionDeclarations: functions }] }),
        ...(schema && { responseMimeType: 'application/json', responseJsonSchema: schema }),
      };
      const parts: Part[] = [];
      const chunks = stream
        ? await models.generateContentStream({ model, contents, config })
        : [await models.generateContent({ model, contents, config })];
      for await (const { candidates } of chunks) parts.push(...(candidates?.[0]?.content?.parts ?? []));
      const said = parts.filter(({ text }) => text !== '');
      contents.push({ role: 'model', parts: said });
      const calls = said.flatMap(({ functionCall }) =>
        functionCall
          ? { id: functionCall.id ?? '', name: String(functionCall.name), input: functionCall.args }
          : [],
      );
      return { text: said.map(({ text }) => text ?? '').join(''), calls };
    },
  };
}

function parsed({ name, arguments: input }: { readonly name: string; readonly arguments: string }) {
  return { name, input: JSON.parse(input) as unknown };
}
