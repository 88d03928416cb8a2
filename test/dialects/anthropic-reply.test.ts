import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BlockSequence, type BlockStep } from '../../router/dialects/anthropic-reply.ts';

/** A tool call in pieces; the pieces of several are interleaved. */
const calls = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1 }),
    pieces: fc.array(fc.string({ minLength: 1 }), { maxLength: 4 }),
  }),
  { selector: ({ id }) => id, maxLength: 4 },
);

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
