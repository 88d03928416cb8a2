import type OpenAI from 'openai';
import type {
  ResponseCreateParamsNonStreaming,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import { expect } from 'vitest';

/** The events of a streamed response, which keep the rules of the API. */
export async function eventsOf(
  openai: OpenAI,
  request: ResponseCreateParamsNonStreaming,
): Promise<ResponseStreamEvent[]> {
  const stream = await openai.responses.create({ ...request, stream: true });
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  expectRules(events);
  return events;
}

const LAST = ['response.completed', 'response.incomplete', 'response.failed'];

/** Numbers without a gap, items added before they grow and done once, deltas that add up, the end last and once. */
export function expectRules(events: readonly ResponseStreamEvent[]): void {
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, at) => at));
  expect(events[0]?.type).toBe('response.created');
  expect(events[1]?.type).toBe('response.in_progress');
  expect(events.filter(({ type }) => LAST.includes(type))).toEqual([events.at(-1)]);
  const open = new Map<number, string>();
  const done = new Map<number, unknown>();
  const texts = new Map<string, string>();
  const grow = (key: string, delta: string) => texts.set(key, (texts.get(key) ?? '') + delta);
  for (const event of events) {
    if (event.type === 'response.output_item.added') {
      expect(event.output_index).toBe(open.size + done.size);
      open.set(event.output_index, event.item.id!);
      continue;
    }
    if (!('output_index' in event)) continue;
    const { output_index: index } = event;
    expect(open.has(index), `${event.type} of an item that is not open`).toBe(true);
    if ('item_id' in event) expect(event.item_id).toBe(open.get(index));
    if (event.type === 'response.output_item.done') {
      expect(event.item.id).toBe(open.get(index));
      open.delete(index);
      done.set(index, event.item);
    } else if (event.type === 'response.output_text.delta') grow(`${index} text`, event.delta);
    else if (event.type === 'response.output_text.done') expect(event.text).toBe(texts.get(`${index} text`));
    else if (event.type === 'response.function_call_arguments.delta') grow(`${index} input`, event.delta);
    else if (event.type === 'response.function_call_arguments.done') {
      expect(event.arguments).toBe(texts.get(`${index} input`) ?? '');
    } else if (event.type === 'response.reasoning_summary_text.delta') grow(`${index} summary`, event.delta);
    else if (event.type === 'response.reasoning_summary_text.done') {
      expect(event.text).toBe(texts.get(`${index} summary`));
    }
  }
  const last = events.at(-1)!;
  if (last.type !== 'response.completed' && last.type !== 'response.incomplete') return;
  expect(open.size).toBe(0);
  const inOrder = [...done].sort(([a], [b]) => a - b).map(([, item]) => item);
  expect(last.response.output).toEqual(inOrder);
}
