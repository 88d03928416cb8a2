/** One task of a client: where everything is, and what it is asked. */
export interface Task {
  /** Folder with the client's node_modules. */
  readonly installed: string;
  /** Temporary: HOME, and all that the client keeps. */
  readonly home: string;
  /** Working folder, with `mark.txt`. */
  readonly work: string;
  /** Of the gateway, without /v1. */
  readonly url: string;
  readonly model: string;
  readonly prompt: string;
}

export interface Client {
  /** For `--only`. */
  readonly id: string;
  readonly name: string;
  readonly api: 'OpenAI chat' | 'Anthropic messages';
  /** As npm takes them; those that share all packages share one installation. */
  readonly packages: readonly string[];
  /** The package whose version stands for the client. */
  readonly main: string;
  /** The client's own tool that reads a file, and its input. */
  readonly tool: { readonly tool: string; readonly input: object };
  /** How often a task reads the file: plain and streamed, or once. */
  readonly answers: number;
  /** Where a tool does not take part: what the model says in the end. */
  readonly text?: string;
  /** Files of configuration, by path within home or `work/…`. */
  files?(task: Task): Readonly<Record<string, string>>;
  /** Runs by Node unless it begins with a path of its own. */
  command(task: Task): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
  /** Ladder -> why the client cannot work there, where that is not Plimsoll's to change. */
  readonly cannot?: Readonly<Record<string, string>>;
  /** For a user, in Markdown; `URL` is the gateway's address. */
  readonly setup: string;
}
