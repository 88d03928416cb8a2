/** One task of a client: its folders, the gateway, and the prompt. */
export interface Task {
  /** Folder with the client's node_modules. */
  readonly installed: string;
  /** Temporary HOME, with everything that the client stores. */
  readonly home: string;
  /** Working folder, with `mark.txt`. */
  readonly work: string;
  /** The gateway's address, without /v1. */
  readonly url: string;
  readonly model: string;
  readonly prompt: string;
}

export interface Client {
  /** For `--only`. */
  readonly id: string;
  readonly name: string;
  readonly api: 'OpenAI chat' | 'OpenAI Responses' | 'Anthropic messages' | 'Google';
  /** npm package specifiers; clients with the same packages share one installation. */
  readonly packages: readonly string[];
  /** The package whose version counts as the client's. */
  readonly main: string;
  /** The client's own tool that reads a file, and its input. */
  readonly tool: { readonly tool: string; readonly input: object };
  /** How often a task reads the file: twice, plain and streamed, or once. */
  readonly replies: number;
  /** The model's last text, for a task without a tool. */
  readonly text?: string;
  /** What the gateway's configuration must have for it. */
  readonly gateway?: Readonly<Record<string, unknown>>;
  /** Configuration files, by path within home or `work/…`. */
  files?(task: Task): Readonly<Record<string, string>>;
  /** Runs in Node, unless the first argument is a program. */
  command(task: Task): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
  /** Ladder -> why the client cannot work there, if that is not for Plimsoll to change. */
  readonly cannot?: Readonly<Record<string, string>>;
  /** Instructions for users, in Markdown; `URL` is the gateway's address. */
  readonly setup: string;
}

/** A ladder of the compatibility matrix. */
export interface Ladder {
  readonly id: string;
  readonly name: string;
  readonly cheap: string;
  readonly strong: string;
}

export const LADDERS: readonly Ladder[] = [
  { id: 'gpt', name: 'GPT', cheap: 'openai/gpt-6-luna', strong: 'openai/gpt-6-sol' },
  {
    id: 'claude',
    name: 'Claude',
    cheap: 'anthropic/claude-haiku-4-5',
    strong: 'anthropic/claude-sonnet-5-5',
  },
  { id: 'gemini', name: 'Gemini', cheap: 'google/gemini-2.5-flash', strong: 'google/gemini-3.5-flash' },
  { id: 'mixed', name: 'mixed', cheap: 'openai/gpt-6-luna', strong: 'anthropic/claude-sonnet-5-5' },
];
