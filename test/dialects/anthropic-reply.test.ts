import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BlockSequence, type BlockStep } from '../../router/dialects/anthropic/reply.ts';

/** The input of a tool, or what a model wrote in place of one, cut into pieces. */
const pieces = fc
  .tuple(
    fc.oneof(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })).map((input) => JSON.stringify(input)),
      fc.constantFrom('', '[1]', '"}{"', 'no JSON', '{"a":'),
    ),
    fc.array(fc.nat(), { maxLength: 3 }),
  )
  .map(([text, places]) => {
    const cuts = [0, ...places.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length];
    return cuts.slice(1).map((end, at) => text.slice(cuts[at], end));
  });

/** A tool call in pieces; the pieces of several are interleaved. */
const calls = fc.uniqueArray(fc.record({ id: fc.string({ minLength: 1 }), pieces }), {
  selector: ({ id }) => id,
  maxLength: 4,
});

it('puts interleaved calls one after the other, nothing lost', () => {
  fc.assert(
    fc.property(calls, fc.string(), fc.infiniteStream(fc.nat(1000)), (interleaved, text, picks) => {
      const order = new BlockSequence();
      const queues = interleaved.map(({ id, pieces }) => [
        () => order.startTool(id, `tool ${id}`),
        ...pieces.map((piece) => () => order.addInput(id, piece)),
        () => order.completeTool(id, `tool ${id}`, pieces.join('')),
      ]);
      const steps: BlockStep[] = order.text(text);
      while (queues.some((queue) => queue.length > 0)) {
        const open = queues.filter((queue) => queue.length > 0);
        steps.push(...open[(picks.next().value ?? 0) % open.length]!.shift()!());
      }
      steps.push(...order.end());
      expect(blocksOf(steps)).toEqual(
        expect.arrayContaining(
          interleaved.map(({ id, pieces }) => ({ name: `tool ${id}`, text: pieces.join('') })),
        ),
      );
      expect(blocksOf(steps)).toHaveLength(interleaved.length + (text === '' ? 0 : 1));
    }),
  );
});

it('sends each call as it comes, if the one before it is whole', () => {
  const order = new BlockSequence();
  order.startTool('a', 'f');
  expect(order.addInput('a', '{"x":"}')).toEqual([{ kind: 'input', index: 0, text: '{"x":"}' }]);
  expect(order.startTool('b', 'g')).toEqual([]);
  expect(order.addInput('b', '{"y"')).toEqual([]);
  expect(order.addInput('a', '"}')).toEqual([
    { kind: 'input', index: 0, text: '"}' },
    { kind: 'stop', index: 0 },
    { kind: 'start-tool', index: 1, id: 'b', name: 'g' },
    { kind: 'input', index: 1, text: '{"y"' },
  ]);
  expect(order.addInput('b', ':{}}')).toEqual([{ kind: 'input', index: 1, text: ':{}}' }]);
  expect(order.startTool('c', 'h').map(({ kind, index }) => [kind, index])).toEqual([
    ['stop', 1],
    ['start-tool', 2],
  ]);
  expect(order.completeTool('a', 'f', '{"x":"}"}')).toEqual([]);
  expect(order.completeTool('c', 'h', '{}').map(({ kind, index }) => [kind, index])).toEqual([
    ['input', 2],
    ['stop', 2],
  ]);
});

it('sends a text before a tool call at once, and one after it as a block of its own', () => {
  const order = new BlockSequence();
  expect(order.text('a')).toEqual([
    { kind: 'start-text', index: 0 },
    { kind: 'text', index: 0, text: 'a' },
  ]);
  expect(order.startTool('t', 'f').map(({ kind, index }) => [kind, index])).toEqual([
    ['stop', 0],
    ['start-tool', 1],
  ]);
  expect(order.text('b')).toEqual([]);
  expect(order.completeTool('t', 'f', '{}').map(({ kind, index }) => [kind, index])).toEqual([
    ['input', 1],
    ['stop', 1],
    ['start-text', 2],
    ['text', 2],
  ]);
  expect(order.end()).toEqual([{ kind: 'stop', index: 2 }]);
});

/** The blocks that a client builds from the steps. Fails if two overlap or an index is out of turn. */
function blocksOf(steps: readonly BlockStep[]): { name: string; text: string }[] {
  const blocks: { name: string; text: string }[] = [];
  let open = false;
  for (const step of steps) {
    if (step.kind === 'start-text' || step.kind === 'start-tool') {
      expect(open).toBe(false);
      expect(step.index).toBe(blocks.length);
      blocks.push({ name: step.kind === 'start-tool' ? step.name : '', text: '' });
      open = true;
      continue;
    }
    expect(open).toBe(true);
    expect(step.index).toBe(blocks.length - 1);
    if (step.kind === 'stop') open = false;
    else blocks.at(-1)!.text += step.text;
  }
  expect(open).toBe(false);
  return blocks;
}
