import { expect, test } from 'vitest';
import { mayCallTools, replyFault } from '../../router/gateway/reply-fault.ts';

const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const OPENAI = { tools: [{ type: 'function', function: { name: 'weather', parameters: schema } }] };
const OLDER = { functions: [{ name: 'weather', parameters: schema }] };
const ANTHROPIC = { tools: [{ name: 'weather', input_schema: schema }] };
const OWN = { tools: [{ type: 'web_search_20250305', name: 'web_search' }] };

const reply = (text: string | undefined, ...calls: { name: string; input: string }[]) => ({
  text,
  calls,
  finishReason: undefined,
});
const call = (input: string, name = 'weather') => reply(undefined, { name, input });

test.each([
  ['openai', OPENAI, call('{"city":"Rome"}'), undefined],
  ['openai', OLDER, call('{"city":"Rome"}'), undefined],
  ['anthropic', ANTHROPIC, call('{"city":"Rome"}'), undefined],
  ['openai', OPENAI, call('{"town":"Rome"}'), 'invalid-input-of-tool'],
  ['openai', OLDER, call('{"city":1}'), 'invalid-input-of-tool'],
  ['anthropic', ANTHROPIC, call('{}'), 'invalid-input-of-tool'],
  ['openai', OPENAI, call('{"city":"Ro'), 'invalid-input-of-tool'],
  ['openai', OPENAI, call('"Rome"'), 'invalid-input-of-tool'],
  ['openai', OPENAI, call('{}', 'climate'), 'unknown-tool'],
  ['openai', {}, call('{}'), 'unknown-tool'],
  ['openai', { tools: [{ type: 'function', function: { name: 'now' } }] }, call('', 'now'), undefined],
  ['anthropic', OWN, call('{"query":"x"}', 'web_search'), undefined],
  ['openai', { ...OPENAI, tool_choice: 'required' }, reply('Sunny.'), 'no-call'],
  [
    'openai',
    { ...OPENAI, tool_choice: { type: 'function', function: { name: 'weather' } } },
    reply('Sunny.'),
    'no-call',
  ],
  ['anthropic', { ...ANTHROPIC, tool_choice: { type: 'any' } }, reply('Sunny.'), 'no-call'],
  [
    'openai',
    { ...OPENAI, tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required' } } },
    reply('Sunny.'),
    'no-call',
  ],
  [
    'openai',
    { ...OPENAI, tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto' } } },
    reply('Sunny.'),
    undefined,
  ],
  ['responses', { tool_choice: { type: 'allowed_tools', mode: 'required' } }, reply('Sunny.'), 'no-call'],
  ['responses', { tool_choice: { type: 'allowed_tools', mode: 'auto' } }, reply('Sunny.'), undefined],
  ['anthropic', { ...ANTHROPIC, tool_choice: { type: 'auto' } }, reply('Sunny.'), undefined],
  ['openai', { ...OPENAI, tool_choice: 'auto' }, reply('Sunny.'), undefined],
  ['openai', {}, reply(undefined), 'empty'],
  ['openai', { response_format: { type: 'text' } }, reply('{'), undefined],
  ['openai', { response_format: { type: 'json_object' } }, reply('{}'), undefined],
  ['openai', { response_format: { type: 'json_object' } }, reply('[]'), 'invalid-json'],
  ['openai', { response_format: { type: 'json_object', schema } }, reply('{}'), 'invalid-json'],
  [
    'openai',
    { response_format: { type: 'json_schema', json_schema: { name: 'a', schema } } },
    reply('{"city":"Rome"}'),
    undefined,
  ],
  [
    'openai',
    { response_format: { type: 'json_schema', json_schema: { name: 'a', schema } } },
    reply('```json\n{"city":"Rome"}\n```'),
    'invalid-json',
  ],
  ['anthropic', { output_config: { format: { type: 'json_schema', schema } } }, reply('{}'), 'invalid-json'],
  ['anthropic', { output_format: { type: 'json_schema', schema } }, reply('{"city":"Rome"}'), undefined],
] as const)('%s %j, %j: %s', (dialect, body, content, fault) => {
  expect(replyFault({ dialect, body }, content)).toBe(fault);
});

test.each([
  ['openai', 'content_filter', 'content-filter'],
  ['anthropic', 'refusal', 'content-filter'],
  ['responses', 'content_filter', 'content-filter'],
  ['openai', 'length', undefined],
  ['anthropic', 'max_tokens', undefined],
  ['openai', 'stop', undefined],
] as const)('%s: a reply that ended by %s: %s', (dialect, finishReason, fault) => {
  expect(replyFault({ dialect, body: {} }, { ...reply('Half of'), finishReason })).toBe(fault);
});

test('a call instead of the JSON that was asked for is no fault of form', () => {
  const body = { ...OPENAI, response_format: { type: 'json_object' } };
  expect(replyFault({ dialect: 'openai', body }, call('{"city":"Rome"}'))).toBeUndefined();
});

test('whether a reply may call tools', () => {
  for (const body of [OPENAI, OLDER, ANTHROPIC, OWN]) expect(mayCallTools(body)).toBe(true);
  for (const body of [{}, { tools: [] }, { tools: null }]) expect(mayCallTools(body)).toBe(false);
});
