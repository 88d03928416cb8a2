import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { type Content, GoogleGenAI, type Part } from '@google/genai';
import { ChatAnthropic } from '@langchain/anthropic';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, type LanguageModel, stepCountIs, streamText, tool } from 'ai';
import { createAgent, tool as langchainTool } from 'langchain';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { LADDERS } from '../../scripts/clients/client.ts';
import {
  CLIENT_KEY as apiKey,
  idOf,
  type LadderGateway,
  startLadder,
  WEATHER_SCHEMA,
  WEATHER_SCRIPT,
  WEATHER_TEXT,
  weatherOf,
} from './ladder-gateway.ts';

/** Runs a client's own loop of tool calls, and gives the model's last text. */
type Client = (url: string, prompt: string, stream: boolean) => Promise<string>;

const DESCRIPTION = 'The weather of a city.';
const CITY = z.object({ city: z.string() });

const CLIENTS: Readonly<Record<string, Client>> = {
  'the OpenAI SDK': async (url, prompt, stream) => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
    const asked = {
      model: 'auto',
      messages: [{ role: 'user' as const, content: prompt }],
      tools: [
        {
          type: 'function' as const,
          function: {
            name: 'weather',
            description: DESCRIPTION,
            parameters: WEATHER_SCHEMA,
            parse: (input: string) => CITY.parse(JSON.parse(input)),
            function: weatherOf,
          },
        },
      ],
    };
    const runner = stream
      ? client.chat.completions.runTools({ ...asked, stream: true })
      : client.chat.completions.runTools(asked);
    return String(await runner.finalContent());
  },

  'the Anthropic SDK': async (url, prompt, stream) => {
    const client = new Anthropic({ baseURL: url, apiKey, authToken: null, maxRetries: 0 });
    const tools = [{ name: 'weather', description: DESCRIPTION, input_schema: WEATHER_SCHEMA }];
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: prompt }];
    for (;;) {
      const asked = { model: 'auto', max_tokens: 1000, messages, tools };
      const reply = stream
        ? await client.messages.stream(asked).finalMessage()
        : await client.messages.create(asked);
      const calls = reply.content.filter((block) => block.type === 'tool_use');
      if (calls.length === 0)
        return reply.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
      const results = calls.map(({ id, input }) => ({
        type: 'tool_result' as const,
        tool_use_id: id,
        content: weatherOf(CITY.parse(input)),
      }));
      messages.push({ role: 'assistant', content: reply.content }, { role: 'user', content: results });
    }
  },

  'the OpenAI SDK, responses': async (url, prompt, stream) => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
    const tools = [
      {
        type: 'function' as const,
        name: 'weather',
        description: DESCRIPTION,
        parameters: WEATHER_SCHEMA,
        strict: true,
      },
    ];
    const input: OpenAI.Responses.ResponseInputItem[] = [{ role: 'user', content: prompt }];
    for (;;) {
      const asked = { model: 'auto', input, tools, store: false };
      const response = stream
        ? await client.responses.stream(asked).finalResponse()
        : await client.responses.create(asked);
      const results = response.output.flatMap((item) =>
        item.type === 'function_call'
          ? {
              type: 'function_call_output' as const,
              call_id: item.call_id,
              output: weatherOf(CITY.parse(JSON.parse(item.arguments))),
            }
          : [],
      );
      if (results.length === 0) return response.output_text;
      input.push(...(response.output as OpenAI.Responses.ResponseInputItem[]), ...results);
    }
  },

  'the Google SDK': async (url, prompt, stream) => {
    const options = { baseUrl: url, retryOptions: { attempts: 1 } };
    const { models } = new GoogleGenAI({ apiKey, httpOptions: options });
    const declaration = { name: 'weather', description: DESCRIPTION, parametersJsonSchema: WEATHER_SCHEMA };
    const config = { tools: [{ functionDeclarations: [declaration] }] };
    const contents: Content[] = [{ role: 'user', parts: [{ text: prompt }] }];
    for (;;) {
      const asked = { model: 'auto', contents, config };
      const chunks = stream
        ? await models.generateContentStream(asked)
        : [await models.generateContent(asked)];
      const parts: Part[] = [];
      for await (const { candidates } of chunks) parts.push(...(candidates?.[0]?.content?.parts ?? []));
      const calls = parts.flatMap(({ functionCall }) => functionCall ?? []);
      if (calls.length === 0) return parts.map(({ text }) => text ?? '').join('');
      const results = calls.map(({ id = '', name = '', args }) => ({
        functionResponse: { id, name, response: { output: weatherOf(CITY.parse(args)) } },
      }));
      contents.push({ role: 'model', parts: parts.filter(({ text }) => text !== '') });
      contents.push({ role: 'user', parts: results });
    }
  },

  'the AI SDK, openai': aiSdk((url) => createOpenAI({ baseURL: `${url}/v1`, apiKey })('auto')),
  'the AI SDK, openai.chat': aiSdk((url) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat('auto')),
  'the AI SDK, openai-compatible': aiSdk((url) =>
    createOpenAICompatible({ name: 'plimsoll', baseURL: `${url}/v1`, apiKey }).chatModel('auto'),
  ),
  'the AI SDK, anthropic': aiSdk((url) => createAnthropic({ baseURL: `${url}/v1`, apiKey })('auto')),

  'LangChain, ChatOpenAI': langchain(
    (url) =>
      new ChatOpenAI({ model: 'auto', apiKey, maxRetries: 0, configuration: { baseURL: `${url}/v1` } }),
  ),
  'LangChain, ChatOpenAI with useResponsesApi': langchain(
    (url) =>
      new ChatOpenAI({
        model: 'auto',
        apiKey,
        maxRetries: 0,
        useResponsesApi: true,
        configuration: { baseURL: `${url}/v1` },
      }),
  ),
  'LangChain, ChatAnthropic': langchain(
    (url) => new ChatAnthropic({ model: 'auto', apiKey, maxRetries: 0, anthropicApiUrl: url }),
  ),
};

function aiSdk(model: (url: string) => LanguageModel): Client {
  return async (url, prompt, stream) => {
    const asked = {
      model: model(url),
      prompt,
      maxRetries: 0,
      maxOutputTokens: 1000,
      providerOptions: { openai: { store: false } }, // or it sends ids, which the gateway keeps with `threads: on`
      stopWhen: stepCountIs(5),
      tools: { weather: tool({ description: DESCRIPTION, inputSchema: CITY, execute: weatherOf }) },
    };
    return stream ? streamText(asked).text : (await generateText(asked)).text;
  };
}

/** `name` goes to the API with each message of the agent's own. */
function langchain(model: (url: string) => ChatOpenAI | ChatAnthropic): Client {
  return async (url, prompt, stream) => {
    const weather = langchainTool(weatherOf, { name: 'weather', description: DESCRIPTION, schema: CITY });
    const agent = createAgent({ model: model(url), tools: [weather], name: 'forecaster' });
    const input = { messages: [{ role: 'user', content: prompt }] };
    if (!stream) return (await agent.invoke(input)).messages.at(-1)!.text;
    let last = '';
    const streamMode: ['values', 'messages'] = ['values', 'messages']; // messages: or the model does not stream
    for await (const [mode, chunk] of await agent.stream(input, { streamMode })) {
      if (mode === 'values') last = chunk.messages.at(-1)!.text;
    }
    return last;
  };
}

describe.each(LADDERS)('a $name ladder', ({ cheap, strong, ...ladder }) => {
  let running: LadderGateway;
  beforeAll(async () => {
    running = await startLadder({ ...ladder, cheap, strong }, WEATHER_SCRIPT);
  });
  afterAll(() => running.close());

  const rungs = [cheap, strong].map(idOf);
  const runs = Object.entries(CLIENTS).flatMap(([name, client]) =>
    [false, true].flatMap((stream) => rungs.map((model, rung) => ({ name, client, stream, model, rung }))),
  );
  test.each(runs)(
    '$name calls tools three times on $model (stream: $stream)',
    async ({ client, stream, model, rung }) => {
      running.asked();
      expect(await client(running.url, running.prompts[rung]!, stream)).toBe(WEATHER_TEXT);
      expect(running.asked()).toEqual([model, model, model]);
    },
  );
});
