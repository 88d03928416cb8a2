/** What happens to a message's content while it is streamed. Blocks never overlap: one is stopped before the next starts. */
export type BlockStep = { readonly index: number } & (
  | { readonly kind: 'start-text' }
  | { readonly kind: 'start-tool'; readonly id: string; readonly name: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'input'; readonly text: string }
  | { readonly kind: 'stop' }
);

interface TextBlock {
  readonly kind: 'text';
  waiting: string;
  complete: boolean;
}

interface ToolBlock {
  readonly kind: 'tool';
  readonly id: string;
  readonly name: string;
  /** Has come and not been told. */
  waiting: string;
  hasInput: boolean;
  complete: boolean;
}

type Block = TextBlock | ToolBlock;

/**
 * Puts text and tool calls, which other dialects may tell side by side, one after the other: the first block that is not
 * complete is told as it comes, those behind it wait. A text is complete as soon as a tool call begins.
 */
export class BlockOrder {
  readonly #queue: Block[] = [];
  readonly #tools = new Map<string, ToolBlock>();
  #index = 0;
  #started = false;

  /** Whether a tool has been called. */
  get anyTool(): boolean {
    return this.#tools.size > 0;
  }

  text(delta: string): BlockStep[] {
    if (delta === '') return [];
    const last = this.#queue.at(-1);
    if (last?.kind === 'text' && !last.complete) last.waiting += delta;
    else this.#queue.push({ kind: 'text', waiting: delta, complete: false });
    return this.#told();
  }

  startTool(id: string, name: string): BlockStep[] {
    const last = this.#queue.at(-1);
    if (last?.kind === 'text') last.complete = true;
    const tool: ToolBlock = { kind: 'tool', id, name, waiting: '', hasInput: false, complete: false };
    this.#tools.set(id, tool);
    this.#queue.push(tool);
    return this.#told();
  }

  addInput(id: string, delta: string): BlockStep[] {
    const tool = this.#tools.get(id);
    if (!tool || tool.complete || delta === '') return [];
    tool.waiting += delta;
    tool.hasInput = true;
    return this.#told();
  }

  /** Some providers tell a call at once, or its input only here. */
  completeTool(id: string, name: string, input: string): BlockStep[] {
    const started = this.#tools.has(id) ? [] : this.startTool(id, name);
    const tool = this.#tools.get(id)!;
    if (!tool.hasInput) tool.waiting = input;
    tool.complete = true;
    return [...started, ...this.#told()];
  }

  /** The model has finished: whatever is open is complete. */
  end(): BlockStep[] {
    for (const block of this.#queue) block.complete = true;
    return this.#told();
  }

  #told(): BlockStep[] {
    const steps: BlockStep[] = [];
    for (let head = this.#queue[0]; head; head = this.#queue[0]) {
      steps.push(...this.#headSteps(head));
      if (!head.complete) break;
      steps.push({ kind: 'stop', index: this.#index });
      this.#queue.shift();
      this.#index += 1;
      this.#started = false;
    }
    return steps;
  }

  #headSteps(head: Block): BlockStep[] {
    const { waiting } = head;
    const index = this.#index;
    const start: BlockStep =
      head.kind === 'text'
        ? { kind: 'start-text', index }
        : { kind: 'start-tool', index, id: head.id, name: head.name };
    const steps: BlockStep[] = this.#started ? [] : [start];
    if (waiting !== '') steps.push({ kind: head.kind === 'text' ? 'text' : 'input', index, text: waiting });
    head.waiting = '';
    this.#started = true;
    return steps;
  }
}
